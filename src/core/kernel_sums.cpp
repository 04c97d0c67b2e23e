#include "kernel_sums.hpp"

#include <array>

#include "kernel_tiles.hpp"

namespace consilience {

namespace {

// Keeps: sums of products for each run of tiles, and for the kernels of a distance the sum of each row.
// Memory: 24 bytes a run, 16 a row. Order: a run's tiles come in order and runs are added up in theirs at the
// end; row sums are fixed point numbers, whose sum has no order.
template <class Rows> struct Sums {
  using T = typename Rows::Score;
  Kernel kernel;
  T shift;
  const Rows &A, &B;
  std::vector<std::array<double, 3>> products;
  Fixed K_rows, L_rows;

  Sums(Kernel kernel, double shift, const Rows& A, const Rows& B, std::int64_t runs)
      : kernel(kernel), shift(static_cast<T>(shift)), A(A), B(B), products(runs), K_rows(A.n), L_rows(A.n) {}

  void operator()(std::int64_t run, const Tile<T>& K, const Tile<T>& L, const Kernels<T>& kernels) {
    evaluate(K, A, kernel, shift, kernels);
    evaluate(L, B, kernel, shift, kernels);
    double sums[3] = {};
    kernels.sum_products(K.rows, panels_of(K), K.scores, L.scores, K.stride, sums);
    for (int s = 0; s < 3; s++) products[run][s] += K.mirrored ? 2 * sums[s] : sums[s];
    if (!of_distance(kernel)) return;
    add_rows(K, kernels, K_rows);
    add_rows(L, kernels, L_rows);
  }
};

template <class Rows>
void sum_tiles(const Isa& isa, const Rows& A, const Rows& B, Kernel kernel, double shift,
               const Workers& workers, const KernelSums& to) {
  Sums<Rows> sums(kernel, shift, A, B, Runs(A.n, A.n, A.d + B.d, edge_of(isa, A)).count());
  for_tile_pairs(isa, A, B, workers, sums);

  std::fill(to.products, to.products + 3, 0.0);
  for (const auto& products : sums.products)
    for (int s = 0; s < 3; s++) to.products[s] += products[s];
  if (!of_distance(kernel)) return;
  sums.K_rows.write(to.K_rows);
  sums.L_rows.write(to.L_rows);
}

}  // namespace

void kernel_sums(const Isa& isa, const View& X, const View& Y, Kernel kernel, const Spread& spread,
                 Arithmetic arithmetic, const Workers& workers, const KernelSums& sums) {
  const bool unit_rows = kernel == Kernel::cosine;
  const Centred x(X, unit_rows, workers), y(Y, unit_rows, workers);
  const double scale_X = scale_for(kernel, mean_square(x.squares), spread.of_X);
  const double scale_Y = scale_for(kernel, mean_square(y.squares), spread.of_Y);
  const double longest = std::max(longest_row(x.squares) * scale_X, longest_row(y.squares) * scale_Y);
  write_known(kernel, spread.shift, x.squares, scale_X, sums.K_diagonal, sums.K_rows);
  write_known(kernel, spread.shift, y.squares, scale_Y, sums.L_diagonal, sums.L_rows);
  with_rows(isa, enough(arithmetic, kernel, longest), workers, [&](auto rows) {
    sum_tiles(isa, rows(x, scale_X), rows(y, scale_Y), kernel, spread.shift, workers, sums);
  });
}

}  // namespace consilience
