#include "dissimilarities.hpp"

#include <cmath>
#include <stdexcept>

namespace consilience {

namespace {

constexpr std::int64_t EDGE = 60;          // of a tile: its rows stay in the second cache
constexpr std::int64_t ROWS_AT_ONCE = 64;  // in one item of work

// The rows in float64, one after another: whole sets of lanes, zeros beyond the last unit. For a correlation
// they are centred: the sum behind a row's mean has the definition's order too, as that of its products with
// ones. For a cosine, also their sums of squares and the roots of those.
struct Rows {
  std::int64_t n, length;
  Buffer<double> values;
  std::vector<double> squares, roots;

  Rows(const Isa& isa, const View& X, Dissimilarity dissimilarity, const Workers& workers)
      : n(X.n),
        length((X.d + LANES - 1) / LANES * LANES),
        values(n * length),
        squares(of_cosine(dissimilarity) ? n : 0),
        roots(squares.size()) {
    const std::vector<double> ones(length, 1.0);
    parallel(workers, (n + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, [&](std::int64_t item) {
      for (std::int64_t i = item * ROWS_AT_ONCE; i < std::min(n, (item + 1) * ROWS_AT_ONCE); i++) {
        double* const row = values.get() + i * length;
        read_row(X, i, row);
        std::fill(row + X.d, row + length, 0.0);
        if (dissimilarity == Dissimilarity::correlation) {
          const double mean = product(isa, row, ones.data()) / static_cast<double>(X.d);
          for (std::int64_t t = 0; t < X.d; t++) row[t] -= mean;
        }
        if (!of_cosine(dissimilarity)) continue;
        squares[i] = product(isa, row, row);
        if (!(squares[i] > 0) || !std::isfinite(squares[i]))
          throw std::invalid_argument("a row is not finite, or has no direction");
        roots[i] = std::sqrt(squares[i]);
      }
    });
  }

  const double* row(std::int64_t i) const { return values.get() + i * length; }

  double product(const Isa& isa, const double* x, const double* y) const {
    double sum;
    isa.definition.sum_products(1, 1, length, x, y, &sum, 1);
    return sum;
  }
};

}  // namespace

void dissimilarities(const Isa& isa, const View& X, Dissimilarity dissimilarity, const Workers& workers,
                     double* to) {
  const Rows rows(isa, X, dissimilarity, workers);
  const bool cosine = of_cosine(dissimilarity);
  const auto sums_of = cosine ? isa.definition.sum_products : isa.definition.sum_squared_gaps;
  const Runs runs(X.n, X.n, X.d, EDGE);
  parallel(workers, runs.count(), [&](std::int64_t run) {
    double sums[EDGE * EDGE];
    runs.for_tiles(run, true, [&](std::int64_t I, std::int64_t J) {
      const std::int64_t row = I * EDGE, column = J * EDGE, end = std::min(X.n, column + EDGE);
      sums_of(static_cast<int>(std::min(X.n, row + EDGE) - row), static_cast<int>(end - column), rows.length,
              rows.row(row), rows.row(column), sums, EDGE);
      for (std::int64_t i = row; i < std::min(X.n, row + EDGE); i++) {
        const std::int64_t first = std::max(column, i + 1);
        double* const place = to + place_of(i, first, X.n);
        const double* const sum = sums + (i - row) * EDGE - column;
        for (std::int64_t j = first; j < end; j++)
          place[j - first] = cosine ? dissimilarity_of(dissimilarity, sum[j], rows.squares[i],
                                                       rows.squares[j], rows.roots[i], rows.roots[j])
                                    : dissimilarity_of(dissimilarity, sum[j], 0, 0, 0, 0);
      }
    });
  });
}

}  // namespace consilience
