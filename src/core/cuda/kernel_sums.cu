// Kernel sums on the GPU. Read beside ../kernel_sums.cpp.
#include "kernel_sums.hpp"

#include <cmath>

#include "kernel_tiles.cuh"

namespace consilience::cuda {

namespace {

// Keeps: the sums of K L, K K and L L, and for the kernels of a distance the sum of each row. Memory: Totals', and 16
// bytes a row. Order: Totals' is fixed; row sums are whole numbers, whose sum has no order.
template <class Value> struct Sums : Totals<3> {
  using T = ScoreOf<Value>;
  Kernel kernel;
  T shift;
  Rows<Value> A, B;
  Fixed K_rows, L_rows;

  template <class Tile>
  __device__ void meet(std::int64_t first_row, std::int64_t first_column,
                       const T (&k)[Tile::ROWS][Tile::COLUMNS], const T (&l)[Tile::ROWS][Tile::COLUMNS]) {
    const bool mirrored = first_column > first_row;
    T K_columns[Tile::COLUMNS] = {}, L_columns[Tile::COLUMNS] = {};
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++) {
      const std::int64_t row = first_row + Tile::row(Tile::slot(), r);
      T products[3] = {}, K_row = 0, L_row = 0;
#pragma unroll
      for (int c = 0; c < Tile::COLUMNS; c++) {
        const std::int64_t column = first_column + Tile::column(c);
        if (row >= A.n || column >= A.n || row == column) continue;
        const T a = evaluate(A, kernel, shift, row, column, k[r][c]);
        const T b = evaluate(B, kernel, shift, row, column, l[r][c]);
        products[0] += a * b;
        products[1] += a * a;
        products[2] += b * b;
        K_row += a;
        L_row += b;
        K_columns[c] += a;
        L_columns[c] += b;
      }
#pragma unroll
      for (int s = 0; s < 3; s++) mine[s] += mirrored ? 2.0 * products[s] : products[s];
      if (of_distance(kernel)) add(row, K_row, L_row, 1, Tile::ACROSS);
    }
    if (!of_distance(kernel) || !mirrored) return;
#pragma unroll
    for (int c = 0; c < Tile::COLUMNS; c++)
      add(first_column + Tile::column(c), K_columns[c], L_columns[c], Tile::ACROSS, WARP);
  }

  // Adds the shares of those threads of a warp that have the same row, or column: they lie `step` apart, within
  // `within`.
  __device__ void add(std::int64_t i, double of_K, double of_L, int step, int within) const {
    for (int other = step; other < within; other *= 2) {
      of_K += __shfl_xor_sync(ALL, of_K, other);
      of_L += __shfl_xor_sync(ALL, of_L, other);
    }
    if (i >= A.n || threadIdx.x % within / step != 0) return;
    K_rows.add(i, of_K);
    L_rows.add(i, of_L);
  }
};

template <class Arithmetic>
void sum_tiles(const Centred& X, const Centred& Y, Kernel kernel, double scale_X, double scale_Y,
               double shift, cudaStream_t stream, const Poll& poll, const KernelSums& to) {
  using Value = typename Arithmetic::Value;
  const Packed<Value> A = pack<Arithmetic>(X, scale_X, stream), B = pack<Arithmetic>(Y, scale_Y, stream);
  const Runs runs(blocks_for(A.n, Arithmetic::Narrow::HEIGHT));
  const Memory<double> totals(runs.count() * 3, stream);
  const Memory<unsigned long long> rows(2 * A.n, stream);
  check(cudaMemsetAsync(rows.data, 0, rows.count * sizeof *rows.data, stream));
  const double unit = std::ldexp(1.0, 61 - std::ilogb(static_cast<double>(A.n)));  // n terms of at most one
  Sums<Value> sums{{totals.data, {}},
                   kernel,
                   static_cast<ScoreOf<Value>>(shift),
                   A.rows(),
                   B.rows(),
                   {rows.data, unit},
                   {rows.data + A.n, unit}};
  for_tile_pairs<Arithmetic>(A.rows(), B.rows(), runs, sums, stream, poll);

  const std::vector<double> of_runs = totals.all();
  std::fill(to.products, to.products + 3, 0.0);
  for (std::size_t at = 0; at < of_runs.size(); at++) to.products[at % 3] += of_runs[at];
  write_known(kernel, shift, X.squares, scale_X, to.K_diagonal, to.K_rows);
  write_known(kernel, shift, Y.squares, scale_Y, to.L_diagonal, to.L_rows);
  if (!of_distance(kernel)) return;
  const std::vector<unsigned long long> of_rows = rows.all();
  for (std::int64_t i = 0; i < A.n; i++) {
    to.K_rows[i] = static_cast<double>(static_cast<long long>(of_rows[i])) / unit;
    to.L_rows[i] = static_cast<double>(static_cast<long long>(of_rows[A.n + i])) / unit;
  }
}

auto summing(Precision precision) {
  switch (precision) {
    case Precision::tf32: return sum_tiles<Tf32>;
    case Precision::bf16: return sum_tiles<Bf16>;
    case Precision::float32: return sum_tiles<Fma<float>>;
    default: return sum_tiles<Tf32x3>;
  }
}

}  // namespace

void kernel_sums(int device, std::uintptr_t stream_number, const View& X, const View& Y, Kernel kernel,
                 const Spread& spread, bool in_double, Precision precision, const Poll& poll,
                 const KernelSums& sums) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const bool unit_rows = kernel == Kernel::cosine;
  const Centred x(X, unit_rows, stream), y(Y, unit_rows, stream);
  const double scale_X = scale_for(kernel, mean_square(x.squares), spread.of_X);
  const double scale_Y = scale_for(kernel, mean_square(y.squares), spread.of_Y);
  const double longest = std::max(longest_row(x.squares) * scale_X, longest_row(y.squares) * scale_Y);
  const auto run = in_double || needs_double(kernel, longest) ? sum_tiles<Fma<double>>
                                                              : summing(choose(precision, Precision::tf32x3));
  run(x, y, kernel, scale_X, scale_Y, spread.shift, stream, poll, sums);
}

}  // namespace consilience::cuda
