#include "pack.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace consilience {

namespace {

constexpr std::int64_t BLOCK = 16 * PANEL;  // rows in one item of work

template <class F> void for_blocks(std::int64_t n, const Workers& workers, F&& f) {
  parallel(workers, (n + BLOCK - 1) / BLOCK,
           [&](std::int64_t block) { f(block * BLOCK, std::min(n, (block + 1) * BLOCK)); });
}

// Writes f(x, t) for each unit t of row i, x being its value in float64.
template <class F> void read(const View& view, std::int64_t i, double* row, F&& f) {
  with_type(view, [&](auto* data) {
    const auto* const from = data + i * view.row_stride;
    if (view.column_stride == 1)
      for (std::int64_t t = 0; t < view.d; t++) row[t] = f(static_cast<double>(from[t]), t);
    else
      for (std::int64_t t = 0; t < view.d; t++)
        row[t] = f(static_cast<double>(from[t * view.column_stride]), t);
  });
}

// Lane l takes the units l, l + 16, l + 32, ...; then the upper half of the lanes is added to the lower,
// until one is left. The inner loop has no dependence between its steps, so compilers turn it into vector
// code.
template <Similarity similarity, class S>
double sum_over_lanes(const double* x, const S* y, std::int64_t stride, std::int64_t d) {
  double lanes[LANES] = {};
  std::int64_t t = 0;
  for (; t + LANES <= d; t += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += term(similarity, x[t + l], y[(t + l) * stride]);
  for (int l = 0; t + l < d; l++) lanes[l] += term(similarity, x[t + l], y[(t + l) * stride]);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
  return lanes[0];
}

// Means of the columns of n rows that read(i, row) writes. Slabs are summed apart, then added in order.
template <class Read>
std::vector<double> means_of(std::int64_t n, std::int64_t d, const Workers& workers, Read&& read) {
  const std::int64_t slabs = std::min<std::int64_t>(n, 64), rows = (n + slabs - 1) / slabs;
  std::vector<std::vector<double>> sums(slabs, std::vector<double>(d));
  parallel(workers, slabs, [&](std::int64_t slab) {
    std::vector<double> row(d);
    for (std::int64_t i = slab * rows; i < std::min(n, (slab + 1) * rows); i++) {
      read(i, row.data());
      for (std::int64_t t = 0; t < d; t++) sums[slab][t] += row[t];
    }
  });
  std::vector<double> mean(d);
  for (const auto& sum : sums)
    for (std::int64_t t = 0; t < d; t++) mean[t] += sum[t] / static_cast<double>(n);
  return mean;
}

// Panels of n rows that read(i, row) writes; zeros and a bias of minus infinity beyond them. The rows of a panel
// are read first and turned then, so that memory is written once, in its order.
template <class T, class Read> void fill(Packed<T>& packed, const Workers& workers, Read&& read) {
  const std::int64_t d = packed.d;
  for_blocks(packed.panels * PANEL, workers, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> row(d);
    std::vector<T> rows(PANEL * d);
    for (std::int64_t i = begin; i < end; i++) {
      T* const line = rows.data() + i % PANEL * d;
      if (i < packed.n) {
        read(i, row.data());
        for (std::int64_t t = 0; t < d; t++) line[t] = static_cast<T>(row[t]);
      } else {
        packed.bias[i] = -static_cast<T>(HUGE_VAL);
        std::fill(line, line + d, T(0));
      }
      if (i % PANEL < PANEL - 1) continue;
      T* to = packed.values.get() + i / PANEL * d * PANEL;
      for (std::int64_t t = 0; t < d; t++)
        for (int r = 0; r < PANEL; r++) *to++ = rows[r * d + t];
    }
  });
  for (const double norm : packed.norms) packed.longest = std::max(packed.longest, norm);
}

}  // namespace

void read_row(const View& view, std::int64_t i, double* row) {
  read(view, i, row, [](double x, std::int64_t) { return x; });
}

// Floats and doubles whose units lie side by side are summed by the widest registers.
double sum_of_terms(const Isa& isa, Similarity similarity, const double* row, const View& view,
                    std::int64_t j) {
  const bool gaps = similarity == Similarity::euclidean;
  double sum = 0;
  with_type(view, [&](auto* data) {
    const auto* const y = data + j * view.row_stride;
    if constexpr (std::is_floating_point_v<std::decay_t<decltype(*data)>>)
      if (view.column_stride == 1) {
        const auto summed = gaps ? isa.definition.squared_gap_with(y) : isa.definition.product_with(y);
        sum = summed(view.d, row, y);
        return;
      }
    sum = gaps ? sum_over_lanes<Similarity::euclidean>(row, y, view.column_stride, view.d)
               : sum_over_lanes<Similarity::dot>(row, y, view.column_stride, view.d);
  });
  return sum;
}

double sum_of_products(const double* x, const double* y, std::int64_t d) {
  return sum_over_lanes<Similarity::dot>(x, y, 1, d);
}

std::vector<double> means(const View& view, const Workers& workers) {
  return means_of(view.n, view.d, workers, [&](std::int64_t i, double* row) { read_row(view, i, row); });
}

std::vector<double> means(const View& view, const std::vector<double>& factors, const Workers& workers) {
  return means_of(view.n, view.d, workers, [&](std::int64_t i, double* row) {
    read_row(view, i, row);
    for (std::int64_t t = 0; t < view.d; t++) row[t] *= factors[i];
  });
}

std::vector<double> squares(const View& view, const std::vector<double>& shift, const Workers& workers) {
  std::vector<double> sums(view.n);
  for_blocks(view.n, workers, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> row(view.d);
    for (std::int64_t i = begin; i < end; i++) {
      read_row(view, i, row.data());
      for (std::size_t t = 0; t < shift.size(); t++) row[t] -= shift[t];
      sums[i] = sum_over_lanes<Similarity::dot>(row.data(), row.data(), 1, view.d);
    }
  });
  return sums;
}

double scale_for(const std::vector<double>& X2, const std::vector<double>& Y2, Similarity similarity) {
  double largest = 0;
  for (const auto* squares : {&X2, &Y2})
    for (const double square : *squares) {
      if (!std::isfinite(square) || (square == 0 && similarity == Similarity::cosine))
        throw std::invalid_argument("a row is not finite, or has no direction");
      largest = std::max(largest, square);
    }
  int exponent = 0;
  std::frexp(std::sqrt(largest), &exponent);
  return largest > 0 ? std::ldexp(1.0, -exponent) : 1.0;
}

template <class T>
Packed<T>::Packed(std::int64_t n, std::int64_t d)
    : n(n),
      d(d),
      panels((n + PANEL - 1) / PANEL),
      values(panels * d * PANEL),
      bias(panels * PANEL),
      norms(n) {}

template <class T>
Packed<T> pack(const View& view, Similarity similarity, const std::vector<double>& shift,
               const std::vector<double>& squares, double scale, const Workers& workers) {
  Packed<T> packed(view.n, view.d);
  fill(packed, workers, [&](std::int64_t i, double* row) {
    read_row(view, i, row);
    for (std::size_t t = 0; t < shift.size(); t++) row[t] -= shift[t];
    const double factor = similarity == Similarity::cosine ? 1 / std::sqrt(squares[i]) : scale;
    for (std::int64_t t = 0; t < view.d; t++) row[t] *= factor;
    packed.norms[i] = std::sqrt(squares[i]) * factor;
    packed.bias[i] =
        similarity == Similarity::euclidean ? static_cast<T>(-0.5 * packed.norms[i] * packed.norms[i]) : T(0);
  });
  return packed;
}

Centred::Centred(const View& view, bool unit_rows, const Workers& workers) : view(view) {
  if (unit_rows) {
    lengths = consilience::squares(view, {}, workers);
    for (double& length : lengths) length = std::sqrt(length);
  }
  mean.assign(view.d, 0.0);
  mean = means_of(view.n, view.d, workers, [&](std::int64_t i, double* row) { read(i, row); });
  squares.resize(view.n);
  for_blocks(view.n, workers, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> row(view.d);
    for (std::int64_t i = begin; i < end; i++) {
      read(i, row.data());
      squares[i] = sum_over_lanes<Similarity::dot>(row.data(), row.data(), 1, view.d);
    }
  });
}

void Centred::read(std::int64_t i, double* row) const {
  const double* const own = mean.data();
  if (lengths.empty()) consilience::read(view, i, row, [=](double x, std::int64_t t) { return x - own[t]; });
  else
    consilience::read(view, i, row,
                      [=, length = lengths[i]](double x, std::int64_t t) { return x / length - own[t]; });
}

double mean_square(const std::vector<double>& squares) {
  double sum = 0;
  for (const double square : squares) sum += square;
  if (!std::isfinite(sum) || sum == 0)
    throw std::invalid_argument("a set is not finite, or nothing in it varies");
  return sum / static_cast<double>(squares.size());
}

double longest_row(const std::vector<double>& squares) {
  return std::sqrt(*std::max_element(squares.begin(), squares.end()));
}

template <class T> Packed<T> pack(const Centred& rows, double scale, const Workers& workers) {
  Packed<T> packed(rows.view.n, rows.view.d);
  fill(packed, workers, [&](std::int64_t i, double* row) {
    rows.read(i, row);
    for (std::int64_t t = 0; t < rows.view.d; t++) row[t] *= scale;
    packed.norms[i] = std::sqrt(rows.squares[i]) * scale;
    packed.bias[i] = static_cast<T>(-0.5 * packed.norms[i] * packed.norms[i]);
  });
  return packed;
}

Series::Series(const View& over_time, bool in_any_order)
    : view{over_time.data, over_time.type,          over_time.d,
           over_time.n,    over_time.column_stride, over_time.row_stride},
      mean(view.n),
      squares(view.n) {
  if (!in_any_order) return;
  with_type(view, [&](auto* from) {
    copy.resize(view.n * view.d * sizeof *from);
    auto* const to = reinterpret_cast<std::decay_t<decltype(*from)>*>(copy.data());
    for (std::int64_t i = 0; i < view.n; i++)
      for (std::int64_t t = 0; t < view.d; t++)
        to[i * view.d + t] = from[i * view.row_stride + t * view.column_stride];
  });
  view = {copy.data(), view.type, view.n, view.d, view.d, 1};
}

void Series::read(std::int64_t i, double* row) const {
  read_row(view, i, row);
  const double first = row[0];
  for (std::int64_t t = 0; t < view.d; t++) row[t] = (row[t] - first) - mean[i];
}

void check_squares(const std::vector<double>& squares) {
  for (const double square : squares)
    if (!std::isfinite(square) || square == 0)
      throw std::invalid_argument("a series is not finite, or does not vary");
}

template <class T> Packed<T> pack(Series& series, double sign, const Workers& workers) {
  const std::int64_t d = series.view.d;
  Packed<T> packed(series.view.n, d);
  fill(packed, workers, [&](std::int64_t i, double* row) {
    const double one = 1;
    series.read(i, row);
    series.mean[i] = sum_over_lanes<Similarity::dot>(row, &one, 0, d) / static_cast<double>(d);
    for (std::int64_t t = 0; t < d; t++) row[t] -= series.mean[i];
    series.squares[i] = sum_of_products(row, row, d);
    const double factor = sign / std::sqrt(series.squares[i]);
    for (std::int64_t t = 0; t < d; t++) row[t] *= factor;
    packed.norms[i] = 1;
    packed.bias[i] = 0;
  });
  check_squares(series.squares);
  return packed;
}

template <class T> Packed<T> gather(const Packed<T>& from, const std::vector<std::int64_t>& rows) {
  Packed<T> to(static_cast<std::int64_t>(rows.size()), from.d);
  std::memset(to.values.get(), 0, to.panels * to.d * PANEL * sizeof(T));
  for (std::int64_t r = 0; r < to.n; r++) {
    const T* const source = from.panel(rows[r]) + rows[r] % PANEL;
    T* const target = to.values.get() + r / PANEL * to.d * PANEL + r % PANEL;
    for (std::int64_t t = 0; t < to.d; t++) target[t * PANEL] = source[t * PANEL];
    to.norms[r] = from.norms[rows[r]];
  }
  return to;
}

template <class T> void read_row(const Packed<T>& from, std::int64_t i, double* row) {
  const T* const line = from.panel(i) + i % PANEL;
  for (std::int64_t t = 0; t < from.d; t++) row[t] = line[t * PANEL];
}

template struct Packed<float>;
template struct Packed<double>;
template Packed<float> pack(const View&, Similarity, const std::vector<double>&, const std::vector<double>&,
                            double, const Workers&);
template Packed<double> pack(const View&, Similarity, const std::vector<double>&, const std::vector<double>&,
                             double, const Workers&);
template Packed<float> pack(const Centred&, double, const Workers&);
template Packed<double> pack(const Centred&, double, const Workers&);
template Packed<float> pack(Series&, double, const Workers&);
template Packed<double> pack(Series&, double, const Workers&);
template Packed<float> gather(const Packed<float>&, const std::vector<std::int64_t>&);
template Packed<double> gather(const Packed<double>&, const std::vector<std::int64_t>&);
template void read_row(const Packed<float>&, std::int64_t, double*);
template void read_row(const Packed<double>&, std::int64_t, double*);

}  // namespace consilience
