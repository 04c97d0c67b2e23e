// Sums of layers on the GPU. Read beside ../layer_sums.cpp.
#include "layer_sums.hpp"

#include <cmath>

#include "kernel_tiles.cuh"

namespace consilience::cuda {

namespace {

constexpr int IN_T = 16;           // terms of a sum that are added in T, before float64 goes on
constexpr int EACH = 4;            // layers that meet as many others at a time
constexpr std::int64_t BAND = 64;  // rows that one block sums up

// The same square piece of all kernels, in the device's memory: [layers][edge][edge], zero on the diagonal and
// beyond the last row and column. The edge is a whole number of tiles.
template <class T> struct Pieces {
  T* values;
  std::int64_t layers, edge, n, row, column;  // the place of the first entry

  __device__ std::int64_t size() const { return edge * edge; }
};

// One block a tile of one layer's piece.
template <class T, class Tile = Fma<T>>
__global__ void __launch_bounds__(THREADS, 1)
    write_piece(Rows<T> rows, std::int64_t layer, Kernel kernel, T shift, Pieces<T> pieces) {
  const std::int64_t across = pieces.edge / Tile::WIDTH;
  const std::int64_t down = blockIdx.x / across * Tile::HEIGHT, right = blockIdx.x % across * Tile::WIDTH;
  const std::int64_t first_row = pieces.row + down, first_column = pieces.column + right;
  T sum[Tile::ROWS][Tile::COLUMNS] = {};
  if (first_row < rows.n && first_column < rows.n)
    Tile::multiply(rows, first_row, rows, first_column, block_memory(), sum);
  T* const to = pieces.values + layer * pieces.size() + down * pieces.edge + right;
#pragma unroll
  for (int r = 0; r < Tile::ROWS; r++)
#pragma unroll
    for (int c = 0; c < Tile::COLUMNS; c++) {
      const int of_row = Tile::row(Tile::slot(), r), of_column = Tile::column(c);
      const std::int64_t row = first_row + of_row, column = first_column + of_column;
      const bool counts = row < rows.n && column < rows.n && row != column;
      to[of_row * pieces.edge + of_column] =
          counts ? evaluate(rows, kernel, shift, row, column, sum[r][c]) : T(0);
    }
}

// Keeps: the sum of each row of each layer. Memory: 8 bytes each. Order: pieces come in order of their columns;
// in each, sixteen threads share a row.
template <class T> __global__ void sum_rows(Pieces<T> pieces, double* rows) {
  const std::int64_t at = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
  const std::int64_t layer = at / pieces.edge, row = pieces.row + at % pieces.edge;
  double lane = 0;
  if (layer < pieces.layers)
    for (std::int64_t c = threadIdx.x % LANES; c < pieces.edge; c += LANES)
      lane += pieces.values[at * pieces.edge + c];
  const double sum = sum_of_lanes(lane);
  if (layer < pieces.layers && row < pieces.n && threadIdx.x % LANES == 0)
    rows[layer * pieces.n + row] += sum;
}

// Keeps: sums of products for each band of rows. Memory: 8 bytes a pair of layers and band. Order: one block
// owns EACH x EACH pairs in a band; its threads take every THREADS-th entry, and are added up in order.
template <class T>
__global__ void __launch_bounds__(THREADS, 1) sum_pairs(Pieces<T> pieces, double* products) {
  __shared__ double shares[THREADS / LANES][EACH * EACH];
  const std::int64_t groups = (pieces.layers + EACH - 1) / EACH, band = blockIdx.x / (groups * groups);
  const std::int64_t A = blockIdx.x / groups % groups * EACH, B = blockIdx.x % groups * EACH;
  if (B < A) return;
  const std::int64_t first = band * BAND * pieces.edge, last = first + BAND * pieces.edge;
  const auto value = [&](std::int64_t layer, std::int64_t at) {
    return layer < pieces.layers && at < last ? pieces.values[layer * pieces.size() + at] : T(0);
  };

  double mine[EACH][EACH] = {};
  for (std::int64_t start = first + threadIdx.x; start < last; start += IN_T * THREADS) {
    T sum[EACH][EACH] = {};
    for (int t = 0; t < IN_T; t++) {
      T b[EACH];
#pragma unroll
      for (int j = 0; j < EACH; j++) b[j] = value(B + j, start + t * THREADS);
#pragma unroll
      for (int i = 0; i < EACH; i++) {
        const T a = value(A + i, start + t * THREADS);
#pragma unroll
        for (int j = 0; j < EACH; j++) sum[i][j] = fma(a, b[j], sum[i][j]);
      }
    }
#pragma unroll
    for (int i = 0; i < EACH; i++)
#pragma unroll
      for (int j = 0; j < EACH; j++) mine[i][j] += sum[i][j];
  }

#pragma unroll
  for (int i = 0; i < EACH; i++)
#pragma unroll
    for (int j = 0; j < EACH; j++) {
      const double share = sum_of_lanes(mine[i][j]);
      if (threadIdx.x % LANES == 0) shares[threadIdx.x / LANES][i * EACH + j] = share;
    }
  __syncthreads();
  const std::int64_t layer_a = A + threadIdx.x / EACH, layer_b = B + threadIdx.x % EACH;
  if (threadIdx.x >= EACH * EACH || layer_a >= pieces.layers || layer_b >= pieces.layers) return;
  double sum = 0;
  for (int s = 0; s < THREADS / LANES; s++) sum += shares[s][threadIdx.x];
  products[(band * pieces.layers + layer_a) * pieces.layers + layer_b] += sum;
}

// The largest edge, in whole tiles, with which the pieces of all layers fit into the workspace.
std::int64_t edge_for(std::int64_t workspace, std::int64_t bytes, std::int64_t n, std::int64_t tile) {
  const auto most = static_cast<std::int64_t>(std::sqrt(static_cast<double>(workspace / bytes))) / tile;
  return std::clamp<std::int64_t>(most, 1, (n + tile - 1) / tile) * tile;
}

template <class T>
void sum_pieces(const std::vector<Centred>& layers, Kernel kernel, const std::vector<double>& scales,
                double shift, std::int64_t workspace, cudaStream_t stream, const Poll& poll,
                const LayerSums& to) {
  using Tile = Fma<T>;
  static_assert(Tile::HEIGHT % BAND == 0, "a piece is cut into whole bands");
  const std::int64_t count = static_cast<std::int64_t>(layers.size()), n = layers[0].view.n,
                     pairs = count * count;
  std::vector<Packed<T>> packed;
  for (std::int64_t l = 0; l < count; l++) packed.push_back(pack<Tile>(layers[l], scales[l], stream));

  const std::int64_t edge = edge_for(workspace, count * sizeof(T), n, Tile::HEIGHT);
  const std::int64_t tiles = edge / Tile::HEIGHT, bands = edge / BAND;
  const Memory<T> values(count * edge * edge, stream);
  const auto rows = Memory<double>::from(std::vector<double>(count * n), stream);
  const auto products = Memory<double>::from(std::vector<double>(bands * pairs), stream);
  const std::int64_t groups = (count + EACH - 1) / EACH;
  for (std::int64_t row = 0; row < n; row += edge)
    for (std::int64_t column = 0; column < n; column += edge) {
      const Pieces<T> pieces{values.data, count, edge, n, row, column};
      for (std::int64_t l = 0; l < count; l++)
        launch_with(Tile::MEMORY, write_piece<T>, tiles * tiles, THREADS, stream, packed[l].rows(), l, kernel,
                    static_cast<T>(shift), pieces);
      if (of_distance(kernel))
        launch(sum_rows<T>, blocks_for(count * edge * LANES, THREADS), THREADS, stream, pieces, rows.data);
      launch(sum_pairs<T>, bands * groups * groups, THREADS, stream, pieces, products.data);
      wait(stream, poll, share_done(row * n + std::min(column + edge, n) * std::min(edge, n - row), n * n));
    }

  const std::vector<double> of_bands = products.all(), of_rows = rows.all();
  std::fill(to.products, to.products + pairs, 0.0);
  for (std::int64_t at = 0; at < bands * pairs; at++) to.products[at % pairs] += of_bands[at];
  for (std::int64_t l = 0; l < count; l++) {
    write_known(kernel, shift, layers[l].squares, scales[l], to.diagonals + l * n, to.rows + l * n);
    for (std::int64_t m = 0; m < l; m++) to.products[l * count + m] = to.products[m * count + l];
  }
  if (of_distance(kernel)) std::copy(of_rows.begin(), of_rows.end(), to.rows);
}

}  // namespace

void layer_sums(int device, std::uintptr_t stream_number, const std::vector<View>& layers, Kernel kernel,
                const std::vector<double>& spreads, double shift, bool in_double, const Poll& poll,
                const LayerSums& sums, std::int64_t workspace) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  std::vector<Centred> centred;
  std::vector<double> scales;
  double longest = 0;
  for (std::size_t l = 0; l < layers.size(); l++) {
    const Centred& rows = centred.emplace_back(layers[l], kernel == Kernel::cosine, stream);
    scales.push_back(scale_for(kernel, mean_square(rows.squares), spreads[l]));
    longest = std::max(longest, longest_row(rows.squares) * scales[l]);
  }
  const auto run = in_double || needs_double(kernel, longest) ? sum_pieces<double> : sum_pieces<float>;
  run(centred, kernel, scales, shift, workspace, stream, poll, sums);
}

}  // namespace consilience::cuda
