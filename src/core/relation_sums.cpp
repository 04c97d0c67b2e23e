#include "relation_sums.hpp"

#include <array>

namespace consilience {

namespace {

// The terms of all rows as T, zero beyond the last.
template <class T> struct RowTerms {
  std::vector<T> u, p, e;

  RowTerms(const Terms<double>& terms, std::int64_t n, std::int64_t panels)
      : u(padded(terms.u, n, panels)), p(padded(terms.p, n, panels)), e(padded(terms.e, n, panels)) {}

  static std::vector<T> padded(const double* values, std::int64_t n, std::int64_t panels) {
    std::vector<T> all(panels * PANEL);
    std::transform(values, values + n, all.begin(), [](double value) { return static_cast<T>(value); });
    return all;
  }
  Terms<T> from(std::int64_t row) const { return {u.data() + row, p.data() + row, e.data() + row}; }
};

// Keeps: five sums for each run of tiles. Memory: 40 bytes a run, and three numbers a row that it reads.
// Order: a run's tiles come in order, and runs are added up in theirs at the end.
template <class T> struct Sums {
  const RowTerms<T>& terms;
  std::vector<std::array<double, RELATION_SUMS>> powers;

  Sums(const RowTerms<T>& terms, std::int64_t runs) : terms(terms), powers(runs) {}

  void operator()(std::int64_t run, const Tile<T>& A, const Tile<T>& B, const Kernels<T>& kernels) {
    const int panels = (A.columns + PANEL - 1) / PANEL;
    kernels.u_centre(A.rows, panels, A.scores, B.scores, A.stride, terms.from(A.row), terms.from(A.column));
    for (const Tile<T>* tile : {&A, &B})
      for (int r = 0; r < tile->rows; r++) {
        if (!tile->mirrored) tile->line(r)[r] = 0;
        std::fill(tile->line(r) + tile->columns, tile->line(r) + panels * PANEL, T(0));
      }
    double sums[RELATION_SUMS] = {};
    kernels.sum_powers(A.rows, panels, A.scores, B.scores, A.stride, sums);
    for (int s = 0; s < RELATION_SUMS; s++) powers[run][s] += A.mirrored ? 2 * sums[s] : sums[s];
  }
};

template <class T> Packed<T> packed(const View& rows, const Workers& workers) {
  return pack<T>(rows, Similarity::dot, {}, squares(rows, {}, workers), 1.0, workers);
}

template <class T>
void sum_tiles(const Isa& isa, const View& Z, const View& W, const Terms<double>& terms,
               const Workers& workers, double* to) {
  const Packed<T> A = packed<T>(Z, workers), B = packed<T>(W, workers);
  const RowTerms<T> of_rows(terms, A.n, A.panels);
  Sums<T> sums(of_rows, Runs(A.n, A.n, A.d + B.d, isa.kernels(T()).tile).count());
  for_tile_pairs(isa, A, B, workers, sums);
  std::fill(to, to + RELATION_SUMS, 0.0);
  for (const auto& powers : sums.powers)
    for (int s = 0; s < RELATION_SUMS; s++) to[s] += powers[s];
}

}  // namespace

void relation_sums(const Isa& isa, const View& Z, const View& W, const Terms<double>& terms, bool in_double,
                   const Workers& workers, double* sums) {
  (in_double ? sum_tiles<double> : sum_tiles<float>)(isa, Z, W, terms, workers, sums);
}

}  // namespace consilience
