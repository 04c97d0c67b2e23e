// A tile of products by ordinary fused multiply-adds: any GPU, float32 or float64. The readable one; tensor.cuh
// has the same face and is fast.
//
// A tile is a sum of slabs of DEPTH units: 256 threads, in a grid of 16 x 16, load a slab of both operands into
// the block's memory, and each multiplies EACH x EACH entries of the tile in its registers.
#pragma once
#include "pack.cuh"

namespace consilience::cuda {

template <class T> struct Fma {
  using Value = T;
  using Wide = Fma;    // the tile where one set is met at a time
  using Narrow = Fma;  // where two are, side by side

  static constexpr int GRID = 16, EACH = 32 / sizeof(T);  // 64 registers of sums in either precision
  static constexpr int HEIGHT = GRID * EACH, WIDTH = HEIGHT, ROWS = EACH, COLUMNS = EACH;
  static constexpr int ACROSS = GRID;           // neighbouring threads that share their rows
  static constexpr int DEPTH = 64 / sizeof(T);  // 64 bytes of a row at a time
  static constexpr int PITCH = HEIGHT + 4;      // four more, so that writing down a column meets many banks
  static constexpr int MEMORY = 2 * DEPTH * PITCH * sizeof(T);

  static constexpr double UNIT = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;  // of one rounding
  static constexpr int SPARE = 8;                                     // see list_length
  static double roundings(double d) { return d; }                     // behind a sum of d products
  __device__ static T stored(double x) { return static_cast<T>(x); }

  // A thread has ROWS rows of the tile, r = 0, 1, ...: its slot, one of HEIGHT / ROWS, says which.
  __device__ static int slot() { return threadIdx.x / GRID; }
  __device__ static int row(int slot, int r) { return slot * EACH + r; }
  __device__ static int column(int c) { return threadIdx.x % GRID + GRID * c; }

  // Nothing is fetched ahead.
  __device__ static void begin(const Rows<T>&, std::int64_t, const Rows<T>&, std::int64_t, char*) {}

  // slab[t][r] = unit start + t of row first + r.
  __device__ static void load(const Rows<T>& rows, std::int64_t first, std::int64_t start, T* slab) {
    for (int at = threadIdx.x; at < HEIGHT * DEPTH; at += THREADS) {
      const int r = at / DEPTH, t = at % DEPTH;
      slab[t * PITCH + r] = rows.values[(first + r) * rows.d + start + t];
    }
  }

  // Adds to `sum` the thread's share of the tile at (row, column).
  __device__ static void multiply(const Rows<T>& A, std::int64_t row, const Rows<T>& B, std::int64_t column,
                                  char* memory, T (&sum)[ROWS][COLUMNS]) {
    T *const a = reinterpret_cast<T*>(memory), *const b = a + DEPTH * PITCH;
    const int down = threadIdx.x / GRID, across = threadIdx.x % GRID;
    for (std::int64_t start = 0; start < A.d; start += DEPTH) {
      load(A, row, start, a);
      load(B, column, start, b);
      __syncthreads();
#pragma unroll
      for (int t = 0; t < DEPTH; t++)
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
          for (int c = 0; c < COLUMNS; c++)
            sum[r][c] = fma(a[t * PITCH + down * EACH + r], b[t * PITCH + across + GRID * c], sum[r][c]);
      __syncthreads();
    }
  }
};

}  // namespace consilience::cuda
