// The main loop on the GPU: read beside ../tiles.hpp and ../kernels.cpp.
//
// One block owns TILE rows and walks over all columns, a tile at a time, so what its reducer keeps for a row
// needs no lock. A tile is a sum of slabs of DEPTH units: 256 threads load a slab of both operands into
// shared memory, each thread multiplies 4 x 4 entries of the tile in its registers, and the finished tile
// goes to shared memory, where eight warps reduce it, a row each in turn. Ordinary fused multiply-adds only,
// so it runs, and is exact, on any GPU.
#pragma once
#include "pack.cuh"

namespace consilience::cuda {

constexpr int TILE = 64, THREADS = 256, EACH = 4,
              GRID = TILE / EACH;                         // GRID x GRID threads, EACH x EACH entries each
template <class T> constexpr int DEPTH = 64 / sizeof(T);  // 64 bytes of a row at a time

// slab[t][r] = unit start + t of row first + r; zero beyond the edges.
template <class T>
__device__ inline void load(const Rows<T>& rows, std::int64_t first, std::int64_t start,
                            T (&slab)[DEPTH<T>][TILE + 4]) {
  for (int at = threadIdx.x; at < TILE * DEPTH<T>; at += THREADS) {
    const int r = at / DEPTH<T>, t = at % DEPTH<T>;
    const bool inside = first + r < rows.n && start + t < rows.d;
    slab[t][r] = inside ? rows.values[(first + r) * rows.d + start + t] : T(0);
  }
}

// Adds to `sum` the thread's share of the tile at (row, column): EACH rows side by side, EACH columns GRID
// apart.
template <class T>
__device__ inline void multiply(const Rows<T>& A, const Rows<T>& B, std::int64_t row, std::int64_t column,
                                T (&a)[DEPTH<T>][TILE + 4], T (&b)[DEPTH<T>][TILE + 4],
                                T (&sum)[EACH][EACH]) {
  const int down = threadIdx.x / GRID, across = threadIdx.x % GRID;
  for (std::int64_t start = 0; start < A.d; start += DEPTH<T>) {
    load(A, row, start, a);
    load(B, column, start, b);
    __syncthreads();
#pragma unroll
    for (int t = 0; t < DEPTH<T>; t++)
#pragma unroll
      for (int i = 0; i < EACH; i++)
#pragma unroll
        for (int j = 0; j < EACH; j++)
          sum[i][j] = fma(a[t][down * EACH + i], b[t][across + GRID * j], sum[i][j]);
    __syncthreads();
  }
}

// reducer.meet(row, column, score) is called by whole warps: one row, 32 columns, one each thread; columns
// beyond the last come with a score of minus infinity.
template <class T, class Reducer>
__global__ void __launch_bounds__(THREADS, 2)
    for_tiles(Rows<T> A, Rows<T> B, std::int64_t first_row, Reducer reducer) {
  __shared__ T a[DEPTH<T>][TILE + 4], b[DEPTH<T>][TILE + 4], tile[TILE][TILE + 1];
  const std::int64_t row = first_row + static_cast<std::int64_t>(blockIdx.x) * TILE;
  const int down = threadIdx.x / GRID, across = threadIdx.x % GRID, warp = threadIdx.x / WARP,
            lane = threadIdx.x % WARP;

  for (std::int64_t column = 0; column < B.n; column += TILE) {
    T sum[EACH][EACH] = {};
    multiply(A, B, row, column, a, b, sum);
    for (int i = 0; i < EACH; i++)
      for (int j = 0; j < EACH; j++) tile[down * EACH + i][across + GRID * j] = sum[i][j];
    __syncthreads();
    for (int r = warp; r < TILE && row + r < A.n; r += THREADS / WARP)
      for (int c = lane; c < TILE; c += WARP) {
        const std::int64_t j = column + c;
        reducer.meet(row + r, j, j < B.n ? tile[r][c] + B.bias[j] : -static_cast<T>(INFINITY));
      }
    // The next tile is written after at least one more barrier.
  }
}

// The tiles of A A' and of B B' side by side. Each thread has a reducer of its own, which stays in registers:
// reducer.meet(i, row, column, k, l) gets the i-th of the thread's EACH rows, at EACH columns GRID apart, of
// both tiles; reducer.finish(i, row) is called when the row has met all columns. All tiles are computed, also
// those below the diagonal: that costs twice the products, but no sum is shared between blocks, so the order
// of every addition is fixed.
template <class T, class Reducer>
__global__ void __launch_bounds__(THREADS, 1)
    for_tile_pairs(Rows<T> A, Rows<T> B, std::int64_t first_row, Reducer reducer) {
  __shared__ T a[DEPTH<T>][TILE + 4], b[DEPTH<T>][TILE + 4];
  const std::int64_t first = first_row + static_cast<std::int64_t>(blockIdx.x) * TILE;
  const std::int64_t row = first + threadIdx.x / GRID * EACH;
  const int across = threadIdx.x % GRID;

  for (std::int64_t column = 0; column < A.n; column += TILE) {
    T k[EACH][EACH] = {}, l[EACH][EACH] = {};
    multiply(A, A, first, column, a, b, k);
    multiply(B, B, first, column, a, b, l);
#pragma unroll
    for (int i = 0; i < EACH; i++) reducer.meet(i, row + i, column + across, k[i], l[i]);
  }
#pragma unroll
  for (int i = 0; i < EACH; i++) reducer.finish(i, row + i);
}

}  // namespace consilience::cuda
