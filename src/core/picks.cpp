// Sums along a row whose partners lie scattered over another row, for permutations. Compiled once per
// instruction set, as kernels.cpp is.
#include "kernels.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace consilience {
namespace ISA {

constexpr int64_t SEGMENT = 512;  // numbers summed in T before float64 takes over

template <class T> struct Four;
template <> struct Four<float> {
  typedef float type __attribute__((vector_size(16)));
  typedef float unaligned __attribute__((vector_size(16), aligned(4), may_alias));
};
template <> struct Four<double> {
  typedef double type __attribute__((vector_size(32)));
  typedef double unaligned __attribute__((vector_size(32), aligned(8), may_alias));
};
template <> struct Four<int32_t> {
  typedef int32_t type __attribute__((vector_size(16)));
};
template <class T> using four = typename Four<T>::type;

// Four numbers by their places, which are read as one: on many CPUs that is faster than their own gather
// instruction, and never far behind.
template <class T>
static inline __attribute__((always_inline)) four<T> pick(const T* row, const uint16_t* places) {
  uint64_t all;
  __builtin_memcpy(&all, places, sizeof all);
  return four<T>{row[all & 0xffff], row[all >> 16 & 0xffff], row[all >> 32 & 0xffff], row[all >> 48]};
}

// In sixteen lanes, whatever the width of a register.
template <class T>
static double sum_of_picked(const T* x, const T* row, const uint16_t* places, int64_t count) {
  double total = 0;
  for (int64_t first = 0; first < count; first += SEGMENT) {
    const int64_t end = count - first < SEGMENT ? count : first + SEGMENT;
    four<T> sums[4] = {};
    for (int64_t v = first; v < end; v += PANEL) _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) {
        const T* const at = x + v + 4 * k;
        sums[k] += *reinterpret_cast<const typename Four<T>::unaligned*>(at) * pick(row, places + v + 4 * k);
      }
    const four<T> sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    total += (static_cast<double>(sum[0]) + sum[1]) + (static_cast<double>(sum[2]) + sum[3]);
  }
  return total;
}

static int64_t sum_of_picked_whole(const int32_t* x, const int32_t* row, const uint16_t* places,
                                   int64_t count) {
#if defined(__AVX2__)
  // One instruction multiplies every second number, so the others are shifted into their places.
  __m256i even = {}, odd = {};
  for (int64_t v = 0; v < count; v += 8) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + v));
    const __m256i b = _mm256_set_m128i((__m128i)pick(row, places + v + 4), (__m128i)pick(row, places + v));
    even += _mm256_mul_epi32(a, b);
    odd += _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
  }
  even += odd;
  return even[0] + even[1] + even[2] + even[3];
#else
  int64_t sums[4] = {};
  for (int64_t v = 0; v < count; v += 4) {
    const four<int32_t> picked = pick(row, places + v);
    for (int k = 0; k < 4; k++) sums[k] += static_cast<int64_t>(x[v + k]) * picked[k];
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
#endif
}

}  // namespace ISA

#define TABLE_OF(isa) picks_##isa
#define TABLE(isa) TABLE_OF(isa)
extern const Picks TABLE(ISA) = {ISA::sum_of_picked<float>, ISA::sum_of_picked<double>,
                                 ISA::sum_of_picked_whole};

}  // namespace consilience
