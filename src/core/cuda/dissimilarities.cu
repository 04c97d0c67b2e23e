// Dissimilarities on the GPU. Read beside ../dissimilarities.cpp and ../definition.cpp.
//
// Sixteen threads share a pair, a lane of its sum each; EACH x EACH pairs at a time, in registers. A block
// has GRID x GRID such groups and computes a tile: slabs of DEPTH units of its rows and of its columns wait in
// shared memory, where the sixteen read sixteen neighbours.
#include "dissimilarities.hpp"

#include "pack.cuh"

namespace consilience::cuda {

namespace {

constexpr int EACH = 8, GRID = 4, TILE = EACH * GRID, DEPTH = 2 * LANES;
static_assert(GRID * GRID * LANES == THREADS, "sixteen threads a group");
constexpr std::int64_t ROWS_AT_ONCE = 32;  // rows of tiles between two looks for a Ctrl-C

// The rows in float64, centred for a correlation; for a cosine also their sums of squares. Half a warp a row;
// each of its threads gets the whole sum, since adding two lanes gives both of them the same.
__global__ void fill_rows(View view, Dissimilarity dissimilarity, double* values, double* squares) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
  const std::int64_t d = i < view.n ? view.d : 0;
  const int lane = threadIdx.x % LANES;
  double sum = 0;
  for (std::int64_t t = lane; t < d; t += LANES) sum += element(view, i, t);
  sum = sum_of_lanes(sum);
  const double mean = dissimilarity == Dissimilarity::correlation ? sum / static_cast<double>(view.d) : 0.0;
  double square = 0;
  for (std::int64_t t = lane; t < d; t += LANES) {
    const double x = element(view, i, t) - mean;
    values[i * view.d + t] = x;
    square += x * x;
  }
  square = sum_of_lanes(square);
  if (i < view.n && lane == 0) squares[i] = square;
}

// slab[r][t] = unit start + t of row first + r; zero beyond the edges.
__device__ inline void load(const double* values, std::int64_t n, std::int64_t d, std::int64_t first,
                            std::int64_t start, double (&slab)[TILE][DEPTH]) {
  for (int at = threadIdx.x; at < TILE * DEPTH; at += THREADS) {
    const int r = at / DEPTH, t = at % DEPTH;
    const bool inside = first + r < n && start + t < d;
    slab[r][t] = inside ? values[(first + r) * d + start + t] : 0.0;
  }
}

// One block a tile; those below the diagonal have nothing to do.
template <Similarity similarity>
__global__ void __launch_bounds__(THREADS, 1)
    for_pairs(const double* values, const double* squares, std::int64_t n, std::int64_t d,
              Dissimilarity dissimilarity, std::int64_t first_row, double* to) {
  __shared__ double a[TILE][DEPTH], b[TILE][DEPTH], sums[TILE][TILE];
  const std::int64_t across = (n + TILE - 1) / TILE;
  const std::int64_t row = (first_row + blockIdx.x / across) * TILE, column = blockIdx.x % across * TILE;
  if (column < row) return;
  const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES;
  const int down = group / GRID * EACH, right = group % GRID * EACH;

  double lanes[EACH][EACH] = {};
  for (std::int64_t start = 0; start < d; start += DEPTH) {
    load(values, n, d, row, start, a);
    load(values, n, d, column, start, b);
    __syncthreads();
    for (int t = lane; t < DEPTH; t += LANES) {
      double x[EACH];
#pragma unroll
      for (int i = 0; i < EACH; i++) x[i] = a[down + i][t];
#pragma unroll
      for (int j = 0; j < EACH; j++) {
        const double y = b[right + j][t];
#pragma unroll
        for (int i = 0; i < EACH; i++) lanes[i][j] += term(similarity, x[i], y);
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int i = 0; i < EACH; i++)
#pragma unroll
    for (int j = 0; j < EACH; j++) {
      const double sum = sum_of_lanes(lanes[i][j]);
      if (lane == 0) sums[down + i][right + j] = sum;
    }
  __syncthreads();
  for (int at = threadIdx.x; at < TILE * TILE; at += THREADS) {
    const std::int64_t i = row + at / TILE, j = column + at % TILE;
    if (i < j && j < n)
      to[place_of(i, j, n)] = dissimilarity_of(dissimilarity, sums[at / TILE][at % TILE], squares[i],
                                               squares[j], std::sqrt(squares[i]), std::sqrt(squares[j]));
  }
}

}  // namespace

void dissimilarities(int device, std::uintptr_t stream_number, const View& X, Dissimilarity dissimilarity,
                     const Poll& poll, double* to) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const Memory<double> values(X.n * X.d, stream), squares(X.n, stream);
  launch(fill_rows, blocks_for(X.n * LANES, THREADS), THREADS, stream, X, dissimilarity, values.data,
         squares.data);
  const auto kernel =
      of_cosine(dissimilarity) ? for_pairs<Similarity::dot> : for_pairs<Similarity::euclidean>;
  const std::int64_t across = blocks_for(X.n, TILE);
  for (std::int64_t first = 0; first < across; first += ROWS_AT_ONCE) {
    const std::int64_t rows = std::min(ROWS_AT_ONCE, across - first);
    launch(kernel, rows * across, THREADS, stream, static_cast<const double*>(values.data),
           static_cast<const double*>(squares.data), X.n, X.d, dissimilarity, first, to);
    wait(stream, poll, share_done(first + rows, across));
  }
}

}  // namespace consilience::cuda
