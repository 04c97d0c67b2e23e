#include "kernel_sums.hpp"

#include <array>
#include <cmath>

namespace consilience {

namespace {

// Whole numbers in place of fractions, so that threads may add them in any order.
struct Fixed {
  double unit;
  std::vector<std::atomic<std::int64_t>> sums;

  // Each sum has at most n terms of size at most one.
  explicit Fixed(std::int64_t n) : unit(std::ldexp(1.0, 61 - std::ilogb(static_cast<double>(n)))), sums(n) {}
  void add(std::int64_t i, double x) {
    sums[i].fetch_add(std::llrint(x * unit), std::memory_order_relaxed);
  }
  void write(double* to) const {
    for (std::size_t i = 0; i < sums.size(); i++) to[i] = static_cast<double>(sums[i]) / unit;
  }
};

// Keeps: sums of products for each run of tiles, and for the kernels of a distance the sum of each row.
// Memory: 24 bytes a run, 16 a row. Order: a run's tiles come in order and runs are added up in theirs at the
// end; row sums are fixed point numbers, whose sum has no order.
template <class T> struct Sums {
  Kernel kernel;
  T shift;
  const Packed<T>&A, &B;
  std::vector<std::array<double, 3>> products;
  Fixed K_rows, L_rows;

  Sums(Kernel kernel, double shift, const Packed<T>& A, const Packed<T>& B, std::int64_t runs)
      : kernel(kernel),
        shift(static_cast<T>(shift)),
        A(A),
        B(B),
        products(runs),
        K_rows(A.n),
        L_rows(A.n) {}

  void operator()(std::int64_t run, const Tile<T>& K, const Tile<T>& L, const Kernels<T>& kernels) {
    const int panels = (K.columns + PANEL - 1) / PANEL;
    evaluate(K, A, panels, kernels);
    evaluate(L, B, panels, kernels);
    double sums[3] = {};
    kernels.sum_products(K.rows, panels, K.scores, L.scores, K.stride, sums);
    for (int s = 0; s < 3; s++) products[run][s] += K.mirrored ? 2 * sums[s] : sums[s];
    if (!of_distance(kernel)) return;
    add_rows(K, panels, K_rows, kernels);
    add_rows(L, panels, L_rows, kernels);
  }

  // From products of rows to the kernel; zero on the diagonal and beyond the last column.
  void evaluate(const Tile<T>& tile, const Packed<T>& packed, int panels, const Kernels<T>& kernels) const {
    const T* const row_bias = packed.bias.get() + tile.row;
    const T* const column_bias = packed.bias.get() + tile.column;
    if (kernel == Kernel::gaussian)
      kernels.gaussian(tile.rows, panels, tile.scores, tile.stride, row_bias, column_bias, shift);
    if (kernel == Kernel::laplacian)
      kernels.laplacian(tile.rows, panels, tile.scores, tile.stride, row_bias, column_bias, shift);
    for (int r = 0; r < tile.rows; r++) {
      if (!tile.mirrored) tile.line(r)[r] = 0;
      std::fill(tile.line(r) + tile.columns, tile.line(r) + panels * PANEL, T(0));
    }
  }

  void add_rows(const Tile<T>& tile, int panels, Fixed& sums, const Kernels<T>& kernels) const {
    double of_rows[PANEL * PANEL] = {}, of_columns[PANEL * PANEL] = {};  // a tile is at most 240 wide
    kernels.sum_rows(tile.rows, panels, tile.scores, tile.stride, of_rows, of_columns);
    for (int r = 0; r < tile.rows; r++) sums.add(tile.row + r, of_rows[r]);
    if (!tile.mirrored) return;
    for (int c = 0; c < tile.columns; c++) sums.add(tile.column + c, of_columns[c]);
  }
};

template <class T>
void sum_tiles(const Isa& isa, const Centred& X, const Centred& Y, Kernel kernel, double scale_X,
               double scale_Y, double shift, const Workers& workers, const KernelSums& to) {
  const Packed<T> A = pack<T>(X, scale_X, workers), B = pack<T>(Y, scale_Y, workers);
  Sums<T> sums(kernel, shift, A, B, Runs(A.n, A.n, A.d + B.d, isa.kernels(T()).tile).count());
  for_tile_pairs(isa, A, B, workers, sums);

  std::fill(to.products, to.products + 3, 0.0);
  for (const auto& products : sums.products)
    for (int s = 0; s < 3; s++) to.products[s] += products[s];
  write_known(kernel, shift, X.squares, scale_X, to.K_diagonal, to.K_rows);
  write_known(kernel, shift, Y.squares, scale_Y, to.L_diagonal, to.L_rows);
  if (!of_distance(kernel)) return;
  sums.K_rows.write(to.K_rows);
  sums.L_rows.write(to.L_rows);
}

// Keeps: all squared distances, times -1/2. Memory: theirs. Order: each has its place. What rounding alone
// could make of two equal rows is no distance.
struct Distances {
  const Packed<double>& A;
  std::vector<double> halves;

  explicit Distances(const Packed<double>& A) : A(A), halves(A.n * (A.n - 1) / 2) {}

  void operator()(const Tile<double>& tile, const Kernels<double>&) {
    for (int r = 0; r < tile.rows; r++) {
      const std::int64_t i = tile.row + r, first = std::max(tile.column, i + 1);
      double* to = halves.data() + i * (2 * A.n - i - 1) / 2 + first - i - 1;
      for (std::int64_t j = first; j < tile.column + tile.columns; j++) {
        const double own = A.bias[i] + A.bias[j], half = tile.line(r)[j - tile.column] + own;
        *to++ = half > 1e-13 * own ? 0 : half;
      }
    }
  }
};

}  // namespace

void kernel_sums(const Isa& isa, const View& X, const View& Y, Kernel kernel, const Spread& spread,
                 bool in_double, const Workers& workers, const KernelSums& sums) {
  const bool unit_rows = kernel == Kernel::cosine;
  const Centred x(X, unit_rows, workers), y(Y, unit_rows, workers);
  const double scale_X = scale_for(kernel, mean_square(x.squares), spread.of_X);
  const double scale_Y = scale_for(kernel, mean_square(y.squares), spread.of_Y);
  const double longest =
      std::max(longest_row(x.squares) * scale_X, longest_row(y.squares) * scale_Y);
  const auto run = in_double || needs_double(kernel, longest) ? sum_tiles<double> : sum_tiles<float>;
  run(isa, x, y, kernel, scale_X, scale_Y, spread.shift, workers, sums);
}

double median_distance(const Isa& isa, const View& X, const Workers& workers) {
  const Centred rows(X, false, workers);
  const double scale = 1 / std::sqrt(mean_square(rows.squares));
  const Packed<double> A = pack<double>(rows, scale, workers);
  Distances distances(A);
  for_tiles(isa, A, A, true, workers, distances);
  auto& halves = distances.halves;
  const auto distance = [&](double half) { return half < 0 ? std::sqrt(-2 * half) / scale : 0.0; };
  const auto middle = halves.begin() + halves.size() / 2;
  std::nth_element(halves.begin(), middle, halves.end());
  if (halves.size() % 2) return distance(*middle);
  return (distance(*middle) + distance(*std::max_element(halves.begin(), middle))) / 2;
}

}  // namespace consilience
