#include "rounded.hpp"

#include <cmath>

#include "doubt.hpp"

namespace consilience {

namespace {

// A panel's rows, one after the other, as both operands want them.
void lay_out(const std::uint16_t* from, std::int64_t steps, std::uint16_t* rows, std::uint16_t* pairs) {
  for (std::int64_t s = 0; s < steps; s++, rows += LENGTH, pairs += LENGTH)
    for (std::int64_t r = 0; r < PANEL; r++) {
      const std::uint16_t* const units = from + (r * steps + s) * STEP;
      std::memcpy(rows + r * STEP, units, STEP * sizeof *units);
      for (int p = 0; p < STEP / 2; p++)
        std::memcpy(pairs + (p * PANEL + r) * 2, units + 2 * p, 2 * sizeof *units);
    }
}

}  // namespace

Rounded::Rounded(const Isa& isa, const View& view, Similarity similarity, const std::vector<double>& squares,
                 double scale, const Workers& workers)
    : n(view.n),
      d(view.d),
      panels(even_panels(n)),
      steps((d + STEP - 1) / STEP),
      rows(panels * steps * LENGTH),
      pairs(panels * steps * LENGTH),
      bias(panels * PANEL),
      lengths(n),
      gaps(n) {
  std::vector<double> factors(n, scale);
  if (similarity == Similarity::cosine)
    for (std::int64_t i = 0; i < n; i++) factors[i] = 1 / std::sqrt(squares[i]);
  const std::vector<double> mean = means(view, factors, workers);
  parallel(workers, panels, [&](std::int64_t panel) {
    std::vector<double> row(steps * STEP);
    std::vector<std::uint16_t> rounded(PANEL * steps * STEP);
    for (std::int64_t r = 0; r < PANEL; r++) {
      const std::int64_t i = panel * PANEL + r;
      bias[i] = -HUGE_VALF;
      if (i >= n) continue;
      read_row(view, i, row.data());
      for (std::int64_t t = 0; t < d; t++) row[t] = row[t] * factors[i] - mean[t];
      const double square = sum_of_products(row.data(), row.data(), d);
      const double along = sum_of_products(row.data(), mean.data(), d);
      bias[i] = static_cast<float>(similarity == Similarity::euclidean ? -0.5 * square : along);
      lengths[i] = std::sqrt(square);
      gaps[i] = std::sqrt(isa.tiles16->round(steps * STEP, row.data(), &rounded[r * steps * STEP]));
    }
    lay_out(rounded.data(), steps, rows.get() + panel * steps * LENGTH, pairs.get() + panel * steps * LENGTH);
  });
  for (std::int64_t i = 0; i < n; i++) steepest = std::max(steepest, std::fabs(static_cast<double>(bias[i])));
}

// Products of bfloat16 are exact in float32; each is added with at most two roundings. What is done in float64 is done
// with rows before they are centred, too, of length one at most.
std::vector<double> Rounded::margins(Similarity similarity) const {
  const double units = static_cast<double>(steps * STEP), exact = (4 * units + 256) * 0x1p-53;
  const Doubt doubt{similarity,
                    error_of_sum(2 * units + 8, 0x1p-24),
                    8 * 0x1p-24,
                    exact,
                    *std::max_element(lengths.begin(), lengths.end()),
                    *std::max_element(gaps.begin(), gaps.end()),
                    steepest,
                    lengths.data(),
                    gaps.data()};
  std::vector<double> margins(n);
  for (std::int64_t i = 0; i < n; i++) margins[i] = 2 * (doubt.of(i) + exact);
  return margins;
}

void multiply(const Isa& isa, const Rounded& A, const Rounded& B, const Tile<float>& tile) {
  isa.tiles16->multiply(static_cast<int>(even_panels(tile.rows)), static_cast<int>(even_panels(tile.columns)),
                        A.steps, A.rows.get() + tile.row * A.steps * STEP,
                        B.pairs.get() + tile.column * B.steps * STEP, tile.scores, tile.stride);
}

}  // namespace consilience
