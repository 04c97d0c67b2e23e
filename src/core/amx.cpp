// Tiles of bfloat16 on CPUs that multiply them in registers of a kilobyte (AMX). Nothing here is compiled for such a
// CPU but the functions that say so.
#include "kernels.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define WITH(instructions) __attribute__((target(instructions)))

namespace consilience {

namespace {

// Writes the nearest bfloat16, and returns its value.
WITH("avx512f,avx512dq") inline float rounded(double x, uint16_t& to) {
  const float value = static_cast<float>(x);
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  to = static_cast<uint16_t>(bits >> 16);
  float kept;
  __builtin_memcpy(&kept, &bits, sizeof kept);
  return kept;
}

WITH("avx512f,avx512dq") double round(int64_t d, const double* x, uint16_t* to) {
  double lost[LANES] = {};
  for (int64_t t = 0; t < d; t += LANES)
    for (int l = 0; l < LANES; l++) {
      const double gap = x[t + l] - rounded(x[t + l], to[t + l]);
      lost[l] += gap * gap;
    }
  double sum = 0;
  for (const double lane : lost) sum += lane;
  return sum;
}

WITH("avx512f,avx512dq") void split(int64_t d, const double* x, uint16_t* to, uint16_t* lost) {
  for (int64_t t = 0; t < d; t++) rounded(x[t] - rounded(x[t], to[t]), lost[t]);
}

// What the tile registers are: sixteen rows of 64 bytes each.
struct alignas(64) Shape {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Registers 0 to 3 are a block of C, two panels by two; 4 and 5 come from A, 6 and 7 from B.
WITH("amx-tile") inline void clear_block() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

WITH("amx-tile") inline void write_block(float* c, int stride) {
  const int64_t line = stride * static_cast<int64_t>(sizeof(float));
  _tile_stored(0, c, line);
  _tile_stored(1, c + PANEL, line);
  _tile_stored(2, c + PANEL * stride, line);
  _tile_stored(3, c + PANEL * stride + PANEL, line);
}

// After some two thousand cycles without work the wide vector unit falls asleep, and the next store of a tile, which
// needs it, takes a quarter of a microsecond to wake it: as long as fifty products. So it is given something to do.
WITH("avx512f") inline void keep_awake(__m512& x) {
  x = _mm512_fmadd_ps(x, x, x);
  __asm__ volatile("" : "+v"(x));
}

WITH("amx-tile,amx-bf16,avx512f")
void multiply(int row_panels, int column_panels, int64_t steps, const uint16_t* A, const uint16_t* B,
              float* C, int stride) {
  constexpr int ROW = STEP * sizeof(uint16_t);
  const int64_t panel = steps * LENGTH;
  const Shape shape;
  _tile_loadconfig(&shape);
  __m512 awake = {};
  for (int j = 0; j < column_panels; j += 2)
    for (int i = 0; i < row_panels; i += 2) {
      const uint16_t *a = A + i * panel, *b = B + j * panel;
      clear_block();
      for (int64_t s = 0; s < steps; s++, a += LENGTH, b += LENGTH) {
        _tile_loadd(4, a, ROW);
        _tile_loadd(6, b, ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + panel, ROW);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + panel, ROW);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        keep_awake(awake);
      }
      write_block(C + i * PANEL * stride + j * PANEL, stride);
    }
  _tile_release();
}

// Brings four lines into the second cache, and returns what comes after them.
inline const char* fetch(const char* line) {
  for (int l = 0; l < 4; l++, line += 64) _mm_prefetch(line, _MM_HINT_T1);
  return line;
}

// The same, of each step A times the rest of B, A times B, and the rest of A times B. Meanwhile the next panels of B,
// or the next tile's, which follow, are fetched: a share for each block, twelve lines a step, not all at once.
WITH("amx-tile,amx-bf16,avx512f")
void multiply_split(int row_panels, int column_panels, int64_t steps, const uint16_t* A, const uint16_t* B,
                    float* C, int stride) {
  constexpr int ROW = STEP * sizeof(uint16_t);
  const int64_t panel = 2 * steps * LENGTH;
  const Shape shape;
  _tile_loadconfig(&shape);
  __m512 awake = {};
  for (int j = 0; j < column_panels; j += 2)
    for (int i = 0; i < row_panels; i += 2) {
      const uint16_t *a = A + i * panel, *b = B + j * panel;
      const char* next = reinterpret_cast<const char*>(b + 2 * panel) + i * panel * 4 / row_panels;
      clear_block();
      for (int64_t s = 0; s < steps; s++, a += 2 * LENGTH, b += 2 * LENGTH) {
        next = fetch(next);
        _tile_loadd(4, a, ROW);
        _tile_loadd(6, b + LENGTH, ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + panel + LENGTH, ROW);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + panel, ROW);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        next = fetch(next);
        _tile_loadd(6, b, ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + panel, ROW);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        next = fetch(next);
        _tile_loadd(4, a + LENGTH, ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + panel + LENGTH, ROW);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        keep_awake(awake);
      }
      write_block(C + i * PANEL * stride + j * PANEL, stride);
    }
  _tile_release();
}

// Sixteen rows of sixteen pairs of units, transposed.
WITH("avx512f") void turn(int64_t steps, const uint16_t* from, uint16_t* to) {
  for (int64_t s = 0; s < steps; s++, from += LENGTH, to += LENGTH) {
    __m512i x[PANEL], y[PANEL];
    for (int i = 0; i < PANEL; i++) x[i] = _mm512_loadu_si512(from + i * STEP);
    for (int i = 0; i < PANEL; i += 2) {
      y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
      y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    for (int i = 0; i < PANEL; i += 4)  // x[i + r] is columns r, r + 4, r + 8 and r + 12 of rows i to i + 3
      for (int r = 0; r < 2; r++) {
        x[i + 2 * r] = _mm512_unpacklo_epi64(y[i + r], y[i + r + 2]);
        x[i + 2 * r + 1] = _mm512_unpackhi_epi64(y[i + r], y[i + r + 2]);
      }
    for (int r = 0; r < 4; r++) {
      const __m512i even_low = _mm512_shuffle_i32x4(x[r], x[r + 4], 0x88);
      const __m512i odd_low = _mm512_shuffle_i32x4(x[r], x[r + 4], 0xdd);
      const __m512i even_high = _mm512_shuffle_i32x4(x[r + 8], x[r + 12], 0x88);
      const __m512i odd_high = _mm512_shuffle_i32x4(x[r + 8], x[r + 12], 0xdd);
      _mm512_storeu_si512(to + r * STEP, _mm512_shuffle_i32x4(even_low, even_high, 0x88));
      _mm512_storeu_si512(to + (r + 4) * STEP, _mm512_shuffle_i32x4(odd_low, odd_high, 0x88));
      _mm512_storeu_si512(to + (r + 8) * STEP, _mm512_shuffle_i32x4(even_low, even_high, 0xdd));
      _mm512_storeu_si512(to + (r + 12) * STEP, _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd));
    }
  }
}

const Tiles16 tiles16{192, round, multiply, split, multiply_split, turn};

}  // namespace

// Linux lends the registers only to a process that asks.
bool amx_is_granted() {
#if defined(__linux__)
  constexpr unsigned BF16 = 1u << 22, TILE = 1u << 24;
  constexpr int ASK = 0x1023, TILE_DATA = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & BF16) && (d & TILE) &&
         __builtin_cpu_supports("avx512dq") && syscall(SYS_arch_prctl, ASK, TILE_DATA) == 0;
#else
  return false;
#endif
}

extern const Isa isa_amx{"amx",   isa_avx512.in_float, isa_avx512.in_double, definition_avx512, picks_avx512,
                         &tiles16};

}  // namespace consilience
#endif
