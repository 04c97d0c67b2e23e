// Kernel sums on the GPU. Read beside ../kernel_sums.cpp.
#include "kernel_sums.hpp"

#include <cmath>

#include "kernel_tiles.cuh"

namespace consilience::cuda {

namespace {

constexpr std::int64_t ROWS_AT_ONCE = 16384;  // between two looks for a Ctrl-C
constexpr int SUMS = 5;                       // of K L, K K, L L, K and L

// Keeps: five sums of each row. Memory: 40 bytes a row, and in registers while a block works on it. Order: a
// thread meets its columns in order, four at a time in T, then in float64; sixteen threads share a row.
template <class T> struct Sums {
  Kernel kernel;
  T shift;
  Rows<T> A, B;
  double* rows;  // [n][SUMS]
  double mine[EACH][SUMS];

  __device__ void meet(int i, std::int64_t row, std::int64_t first, const T (&k)[EACH], const T (&l)[EACH]) {
    T sums[SUMS] = {};
#pragma unroll
    for (int j = 0; j < EACH; j++) {
      const std::int64_t column = first + GRID * j;
      if (row >= A.n || column >= A.n || row == column) continue;
      const T a = evaluate(A, kernel, shift, row, column, k[j]);
      const T b = evaluate(B, kernel, shift, row, column, l[j]);
      const T terms[SUMS] = {a * b, a * a, b * b, a, b};
#pragma unroll
      for (int s = 0; s < SUMS; s++) sums[s] += terms[s];
    }
#pragma unroll
    for (int s = 0; s < SUMS; s++) mine[i][s] += sums[s];
  }

  __device__ void finish(int i, std::int64_t row) const {
#pragma unroll
    for (int s = 0; s < SUMS; s++) {
      const double sum = sum_of_lanes(mine[i][s]);
      if (row < A.n && threadIdx.x % GRID == 0) rows[row * SUMS + s] = sum;
    }
  }
};

template <class T>
void sum_tiles(const Centred& X, const Centred& Y, Kernel kernel, double scale_X, double scale_Y,
               double shift, cudaStream_t stream, const Poll& poll, const KernelSums& to) {
  const Packed<T> A = pack<T>(X, scale_X, stream), B = pack<T>(Y, scale_Y, stream);
  const Memory<double> rows(A.n * SUMS, stream);
  const Sums<T> sums{kernel, static_cast<T>(shift), A.rows(), B.rows(), rows.data, {}};
  for (std::int64_t first = 0; first < A.n; first += ROWS_AT_ONCE) {
    launch(for_tile_pairs<T, Sums<T>>, blocks_for(std::min(ROWS_AT_ONCE, A.n - first), TILE), THREADS, stream,
           A.rows(), B.rows(), first, sums);
    wait(stream, poll, share_done(first + ROWS_AT_ONCE, A.n));
  }
  const std::vector<double> here = rows.all();
  std::fill(to.products, to.products + 3, 0.0);
  write_known(kernel, shift, X.squares, scale_X, to.K_diagonal, to.K_rows);
  write_known(kernel, shift, Y.squares, scale_Y, to.L_diagonal, to.L_rows);
  for (std::int64_t i = 0; i < A.n; i++) {
    const double* const row = here.data() + i * SUMS;
    for (int s = 0; s < 3; s++) to.products[s] += row[s];
    if (!of_distance(kernel)) continue;
    to.K_rows[i] = row[3];
    to.L_rows[i] = row[4];
  }
}

}  // namespace

void kernel_sums(int device, std::uintptr_t stream_number, const View& X, const View& Y, Kernel kernel,
                 const Spread& spread, bool in_double, const Poll& poll, const KernelSums& sums) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const bool unit_rows = kernel == Kernel::cosine;
  const Centred x(X, unit_rows, stream), y(Y, unit_rows, stream);
  const double scale_X = scale_for(kernel, mean_square(x.squares), spread.of_X);
  const double scale_Y = scale_for(kernel, mean_square(y.squares), spread.of_Y);
  const double longest = std::max(longest_row(x.squares) * scale_X, longest_row(y.squares) * scale_Y);
  const auto run = in_double || needs_double(kernel, longest) ? sum_tiles<double> : sum_tiles<float>;
  run(x, y, kernel, scale_X, scale_Y, spread.shift, stream, poll, sums);
}

}  // namespace consilience::cuda
