#include "cross_correlation.hpp"

namespace consilience {

namespace {

constexpr std::int64_t SPARE = 5;  // it is rare that more partners come within rounding of the best

// The correlation of centred series with series j of `others`, by definition.
double correlation(const std::vector<double>& x, double x2, const Series& others, std::int64_t j) {
  std::vector<double> y(x.size());
  others.read(j, y.data());
  const double sum = sum_of_products(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  return similarity_of(Similarity::cosine, sum, x2, others.squares[j]);
}

std::vector<double> centred(const Series& series, std::int64_t i) {
  std::vector<double> x(series.view.d);
  series.read(i, x.data());
  return x;
}

// Judges the contested partners of series i by the definition and writes the k strongest of them.
struct Judge {
  const Series &series, &others;
  Sign sign;
  std::int64_t k;
  const Partners& to;

  struct Place {
    double r;
    std::int64_t partner;
  };

  template <class Columns>
  void operator()(std::int64_t i, const Columns& contested, std::int64_t) const {
    const std::vector<double> x = centred(series, i);
    std::vector<Place> places;
    for (const std::int64_t j : contested)
      places.push_back({correlation(x, series.squares[i], others, j), j});
    std::partial_sort(places.begin(), places.begin() + k, places.end(),
                      [this](const Place& a, const Place& b) {
                        return nearer(strength(sign, a.r), a.partner, strength(sign, b.r), b.partner);
                      });
    for (std::int64_t p = 0; p < k; p++) {
      to.best[i * k + p] = places[p].partner;
      to.correlations[i * k + p] = places[p].r;
    }
  }
};

// Keeps: how many entries of each row and of each column reach each threshold. Memory: 8 bytes a series and
// threshold. Order: whole numbers may be added in any.
template <class T> struct Counts {
  const Packed<T>&A, &B;
  const Series &rows, &columns;
  Sign sign;
  const std::vector<double>& thresholds;
  double off, off_closer;  // how far a guess can be from the definition, and one by closer()
  std::vector<std::atomic<std::int64_t>> of_rows, of_columns;  // [n][thresholds]

  Counts(const Packed<T>& A, const Packed<T>& B, const Series& rows, const Series& columns, Sign sign,
         const std::vector<double>& thresholds, double off, double off_closer)
      : A(A),
        B(B),
        rows(rows),
        columns(columns),
        sign(sign),
        thresholds(thresholds),
        off(off),
        off_closer(off_closer),
        of_rows(A.n * thresholds.size()),
        of_columns(B.n * thresholds.size()) {}

  void count(const Tile<T>& tile, const Kernels<T>& kernels) {
    const std::int64_t m = static_cast<std::int64_t>(thresholds.size());
    const int padded = (tile.columns + PANEL - 1) / PANEL * PANEL;
    for (int r = 0; r < tile.rows; r++)
      std::fill(tile.line(r) + tile.columns, tile.line(r) + padded, std::numeric_limits<T>::quiet_NaN());
    for (std::int64_t t = 0; t < m; t++) {
      const T low = static_cast<T>(thresholds[t] - off), high = static_cast<T>(thresholds[t] + off);
      T of_tile[PANEL * PANEL] = {};  // a tile is at most 240 columns wide
      int found[PANEL * PANEL];
      for (int r = 0; r < tile.rows; r++) {
        int of_row = 0;
        const int in_doubt =
            kernels.count_above(tile.columns, tile.line(r), low, high, &of_row, of_tile, found);
        for (int f = 0; f < in_doubt; f++) {
          const bool reached = reaches(tile.row + r, tile.column + found[f], thresholds[t]);
          of_row += reached;
          of_tile[found[f]] += reached;
        }
        of_rows[(tile.row + r) * m + t].fetch_add(of_row, std::memory_order_relaxed);
      }
      for (int c = 0; c < tile.columns; c++)
        of_columns[(tile.column + c) * m + t].fetch_add(static_cast<std::int64_t>(of_tile[c]),
                                                        std::memory_order_relaxed);
    }
  }

  // The packed series multiplied in float64 leave little doubt, and are at hand. The definition leaves none.
  bool reaches(std::int64_t i, std::int64_t j, double threshold) const {
    const double guess = closer(i, j);
    if (std::fabs(guess - threshold) > off_closer) return guess > threshold;
    return strength(sign, correlation(centred(rows, i), rows.squares[i], columns, j)) >= threshold;
  }

  double closer(std::int64_t i, std::int64_t j) const {
    std::vector<double> x(A.d), y(A.d);
    read_row(A, i, x.data());
    read_row(B, j, y.data());
    const double product = sum_of_products(x.data(), y.data(), A.d);
    return sign == Sign::absolute ? std::fabs(product) : product;
  }
};

}  // namespace

template <class T>
void cross_correlation(const Isa& isa, const View& units, const View& voxels, std::int64_t k, Sign sign,
                       const std::vector<double>& thresholds, const Workers& workers,
                       const Partners& of_units, const Partners& of_voxels) {
  Series rows(voxels, voxels.d < units.d), columns(units, units.d <= voxels.d);
  const Packed<T> A = pack<T>(rows, sign == Sign::negative ? -1 : 1, workers);
  const Packed<T> B = pack<T>(columns, 1, workers);

  const double unit = std::numeric_limits<T>::epsilon() / 2, d = static_cast<double>(A.d);
  const double off = doubt(Similarity::cosine, unit, chain_length(A.d), d, 1, 1);
  const double off_closer = doubt(Similarity::cosine, unit, 0, d, 1, 1);
  const std::int64_t edge = isa.kernels(T()).tile;
  Best<T> of_rows(A, B, k, list_length(k, B.n, SPARE), std::vector<double>(A.n, 2 * off), edge, {});
  Best<T> of_columns(B, A, k, list_length(k, A.n, SPARE), std::vector<double>(B.n, 2 * off), edge, {});
  Counts<T> counts(A, B, rows, columns, sign, thresholds, off, off_closer);
  const auto strengthen = [sign](const Tile<T>& tile, const Kernels<T>& kernels) {
    if (sign == Sign::absolute)
      kernels.magnitudes(tile.rows, (tile.columns + PANEL - 1) / PANEL, tile.scores, tile.stride);
  };
  const auto reducer = [&](const Tile<T>& tile, const Kernels<T>& kernels) {
    strengthen(tile, kernels);
    of_rows.rows_meet(tile, kernels);
    of_columns.columns_meet(tile, kernels);
    counts.count(tile, kernels);
  };
  for_tiles(isa, A, B, false, workers, reducer);

  const Judge voxels_judge{rows, columns, sign, k, of_voxels}, units_judge{columns, rows, sign, k, of_units};
  const auto open_rows = settle_lists(of_rows, workers, voxels_judge);
  reopen(isa, A, B, open_rows, workers, strengthen, voxels_judge);
  const auto open_columns = settle_lists(of_columns, workers, units_judge);
  reopen(isa, B, A, open_columns, workers, strengthen, units_judge);
  std::copy(counts.of_rows.begin(), counts.of_rows.end(), of_voxels.counts);
  std::copy(counts.of_columns.begin(), counts.of_columns.end(), of_units.counts);
}

template void cross_correlation<float>(const Isa&, const View&, const View&, std::int64_t, Sign,
                                       const std::vector<double>&, const Workers&, const Partners&,
                                       const Partners&);
template void cross_correlation<double>(const Isa&, const View&, const View&, std::int64_t, Sign,
                                        const std::vector<double>&, const Workers&, const Partners&,
                                        const Partners&);

}  // namespace consilience
