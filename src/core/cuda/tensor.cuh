// A tile of products on tensor cores (sm_80 and newer). The same face as fma.cuh.
//
// A tile is a sum of slabs of 64 bytes of each row. While one slab is multiplied, the next two are on their way
// from the device's memory (copy_async). A slab is two steps of 32 bytes, 8 units of tf32 or 16 of bf16: a warp
// loads what it needs of a step into registers (load_blocks) and multiplies blocks of 16 x 8 entries. The bytes
// move in the same way whatever they mean; only the arithmetic (Tf32, Tf32x3, Bf16) knows.
//
// Eight warps, two down and four across, have a share of 64 rows each, high enough that reading a share's rows and
// columns from the block's memory takes, by count, no longer than multiplying them. A tile is 256 wide where the
// reducer meets one set, and 128 where it meets two, so that the sums of a thread take 128 of its 255 registers
// either way. In all it needs 226 (tf32, bf16) or 254 (tf32x3) for one set, 224 or 234 for two, on sm_90; a few less
// on sm_80.
#pragma once
#include "mma.cuh"
#include "pack.cuh"

namespace consilience::cuda {

template <class Arithmetic, int WIDTH_> struct TensorTile {
  using Value = typename Arithmetic::Value;

  static constexpr int HEIGHT = 128, WIDTH = WIDTH_;
  static constexpr int WARPS_DOWN = 2, WARPS_ACROSS = 4;
  static constexpr int SHARE_HEIGHT = HEIGHT / WARPS_DOWN, SHARE_WIDTH = WIDTH / WARPS_ACROSS;
  static constexpr int ROWS = SHARE_HEIGHT / 8,
                       COLUMNS = SHARE_WIDTH / 4;  // of the share, those of one thread
  static constexpr int ACROSS = 4;                 // neighbouring threads that share their rows

  static constexpr int CHUNK = 16, CHUNKS = 4;  // bytes of one copy, and copies in a row of a slab
  static constexpr int DEPTH = CHUNK * CHUNKS / sizeof(Value);
  static constexpr int STAGES = 3;  // slabs in the block's memory: one at work, two on their way
  static constexpr int SLAB = (HEIGHT + WIDTH) * CHUNK * CHUNKS;
  static constexpr int MEMORY = STAGES * SLAB;  // 72 KB where the tile is 256 wide, 48 KB where it is 128

  // Where mma.sync leaves the entries: a lane has each eighth row, and pairs of columns.
  __device__ static int slot() { return warp() / WARPS_ACROSS * 8 + threadIdx.x % WARP / 4; }
  __device__ static int row(int slot, int r) { return slot / 8 * SHARE_HEIGHT + r * 8 + slot % 8; }
  __device__ static int column(int c) {
    return warp() % WARPS_ACROSS * SHARE_WIDTH + c / 2 * 8 + threadIdx.x % 4 * 2 + c % 2;
  }
  __device__ static int warp() { return threadIdx.x / WARP; }

  // Where a chunk of a row lies. Two rows fill the 128 bytes that the memory reads at once; the chunks of later
  // rows are permuted, so that the same chunk of eight rows, which load_blocks reads, lies in eight places.
  __device__ static char* place(char* slab, int row, int chunk) {
    return slab + (row * CHUNKS + (chunk ^ row / 2 % CHUNKS)) * CHUNK;
  }

  // Sends for the slab that starts at unit `start`: the rows of A, then the columns, rows of B.
  __device__ static void load(const Rows<Value>& A, std::int64_t row, const Rows<Value>& B,
                              std::int64_t column, std::int64_t start, char* slab) {
#pragma unroll
    for (int at = threadIdx.x; at < (HEIGHT + WIDTH) * CHUNKS; at += THREADS) {
      const int r = at / CHUNKS, chunk = at % CHUNKS;
      const Value* const from =
          r < HEIGHT ? A.values + (row + r) * A.d : B.values + (column + r - HEIGHT) * B.d;
      copy_async(place(slab, r, chunk), from + start + chunk * (CHUNK / sizeof(Value)));
    }
  }

  // Sends for the first slabs of a tile, so that they come while something else is done.
  __device__ static void begin(const Rows<Value>& A, std::int64_t row, const Rows<Value>& B,
                               std::int64_t column, char* memory) {
#pragma unroll
    for (int s = 0; s < STAGES - 1; s++) {
      if (s * DEPTH < A.d) load(A, row, B, column, s * DEPTH, memory + s * SLAB);
      end_copies();
    }
  }

  // Adds to `sum` the thread's share of the tile that has begun.
  __device__ static void multiply(const Rows<Value>& A, std::int64_t row, const Rows<Value>& B,
                                  std::int64_t column, char* memory, float (&sum)[ROWS][COLUMNS]) {
    const int slabs = static_cast<int>(A.d / DEPTH);
    int stage = 0, free = STAGES - 1;
    for (int s = 0; s < slabs; s++) {
      wait_for_copies<STAGES - 2>();
      __syncthreads();  // slab s is here, all of it; and nobody still reads slab s - 1
      const int next = s + STAGES - 1;
      if (next < slabs)
        load(A, row, B, column, static_cast<std::int64_t>(next) * DEPTH, memory + free * SLAB);
      end_copies();
#pragma unroll
      for (int step = 0; step < CHUNKS / 2; step++) multiply(memory + stage * SLAB, step, sum);
      stage = stage + 1 == STAGES ? 0 : stage + 1;
      free = free + 1 == STAGES ? 0 : free + 1;
    }
    __syncthreads();  // the next tile may begin
  }

  // One step of a slab: two chunks of each row.
  __device__ static void multiply(char* slab, int step, float (&sum)[ROWS][COLUMNS]) {
    const int lane = threadIdx.x % WARP;
    const int first_row = warp() / WARPS_ACROSS * SHARE_HEIGHT;
    const int first_column = HEIGHT + warp() % WARPS_ACROSS * SHARE_WIDTH;
    typename Arithmetic::Operand
        a[ROWS / 2];  // of 16 rows: first chunk of the upper 8, lower 8, second chunk
#pragma unroll
    for (int i = 0; i < ROWS / 2; i++) {
      std::uint32_t words[4];
      load_blocks(words, place(slab, first_row + i * 16 + lane % 16, step * 2 + lane / 16));
      a[i] = words;
    }
#pragma unroll
    for (int j = 0; j < COLUMNS / 4; j++) {  // 16 columns: both chunks of the first 8, then of the others
      std::uint32_t words[4];
      load_blocks(words,
                  place(slab, first_column + j * 16 + lane / 16 * 8 + lane % 8, step * 2 + lane / 8 % 2));
      const typename Arithmetic::Operand b = words;
#pragma unroll
      for (int i = 0; i < ROWS / 2; i++) {
        Arithmetic::multiply_add(&sum[2 * i][4 * j], &sum[2 * i + 1][4 * j], a[i], b, 0);
        Arithmetic::multiply_add(&sum[2 * i][4 * j + 2], &sum[2 * i + 1][4 * j + 2], a[i], b, 2);
      }
    }
  }
};

// What all three have in common. Two sums of 64 registers, or one of 128.
template <class Arithmetic, class V> struct OnTensorCores {
  using Value = V;
  using Wide = TensorTile<Arithmetic, 256>;
  using Narrow = TensorTile<Arithmetic, 128>;

  // A tensor core multiplies exactly; it then brings some products and the sum so far to the largest exponent
  // among them, cuts each off after 24 bits or more, adds, and cuts again (Fasi et al. 2021, PeerJ CS 7:e330;
  // Khattak and Mikaitis 2025, arXiv:2512.07004, for the newer ones). Products come four or more at a time, so
  // there are at most six cuts for four of them, each of at most 2^-23 of the sum of absolute terms; two a product
  // is more.
  static constexpr double UNIT = 0x1p-23;
  static double roundings(double d) { return 2 * d; }
};

// To 11 significant bits, halves away from zero.
__device__ inline float round_to_tf32(float x) {
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x1000u) & 0xffffe000u;
  memcpy(&x, &bits, sizeof bits);
  return x;
}

struct Words {
  std::uint32_t words[4];
  Words() = default;
  __device__ Words(const std::uint32_t (&from)[4]) {
    for (int w = 0; w < 4; w++) words[w] = from[w];
  }
};

struct Tf32 : OnTensorCores<Tf32, float> {
  static constexpr int SPARE = 14;
  __device__ static float stored(double x) { return round_to_tf32(static_cast<float>(x)); }

  using Operand = Words;
  __device__ static void multiply_add(float* sum_0, float* sum_8, const Words& a, const Words& b, int w) {
    multiply_add_tf32(sum_0, sum_8, a.words, b.words[w], b.words[w + 1]);
  }
};

struct Bf16 : OnTensorCores<Bf16, Bfloat16> {
  static constexpr int SPARE = 22;
  // Halves to even.
  __device__ static Bfloat16 stored(double x) {
    const float narrow = static_cast<float>(x);
    std::uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return {static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
  }

  using Operand = Words;
  __device__ static void multiply_add(float* sum_0, float* sum_8, const Words& a, const Words& b, int w) {
    multiply_add_bf16(sum_0, sum_8, a.words, b.words[w], b.words[w + 1]);
  }
};

// x = upper + lower + a rest below 2^-22 |x|, and upper x lower, lower x upper, upper x upper leave out no more than
// 2^-20 of a product: eight cuts.
struct Tf32x3 : OnTensorCores<Tf32x3, float> {
  static constexpr int SPARE = 8;
  static double roundings(double d) { return 3 * 2 * d + 8; }
  __device__ static float stored(double x) { return static_cast<float>(x); }

  struct Operand {
    std::uint32_t upper[4], lower[4];
    Operand() = default;
    __device__ Operand(const std::uint32_t (&from)[4]) {
#pragma unroll
      for (int w = 0; w < 4; w++) {
        float x;
        memcpy(&x, &from[w], sizeof x);
        const float rounded = round_to_tf32(x), rest = round_to_tf32(x - rounded);
        memcpy(&upper[w], &rounded, sizeof rounded);
        memcpy(&lower[w], &rest, sizeof rest);
      }
    }
  };
  // The small ones first.
  __device__ static void multiply_add(float* sum_0, float* sum_8, const Operand& a, const Operand& b, int w) {
    multiply_add_tf32(sum_0, sum_8, a.lower, b.upper[w], b.upper[w + 1]);
    multiply_add_tf32(sum_0, sum_8, a.upper, b.lower[w], b.lower[w + 1]);
    multiply_add_tf32(sum_0, sum_8, a.upper, b.upper[w], b.upper[w + 1]);
  }
};

}  // namespace consilience::cuda
