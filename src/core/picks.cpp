// Sums along rows whose partners lie scattered over other rows, for permutations. Compiled once per instruction
// set, as kernels.cpp is.
//
// Four rows of a relation lie side by side, so that one load picks an entry of all four. Their partners are rows of
// another relation that lie where they lie, so they are turned on the way: four registers, one of each row, become
// four that hold all rows at some places.
#include "kernels.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#define REGISTER 32  // bytes
#else
#define REGISTER 16
#endif

namespace consilience {
namespace ISA {

constexpr int ROWS = PICKED_ROWS;
constexpr int64_t SEGMENT = 128;  // places whose products are summed in T before float64 takes over

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 4")

// What comes from one row at a time: a register full of floats or whole numbers, or four doubles.
template <class T> struct Places;
template <> struct Places<float> {
  typedef float type __attribute__((vector_size(REGISTER)));
  typedef int32_t index __attribute__((vector_size(REGISTER)));
};
template <> struct Places<int32_t> {
  typedef int32_t type __attribute__((vector_size(REGISTER)));
  typedef int32_t index __attribute__((vector_size(REGISTER)));
};
template <> struct Places<double> {
  typedef double type __attribute__((vector_size(32)));
  typedef int64_t index __attribute__((vector_size(32)));
};
template <class T> using places = typename Places<T>::type;
template <class T> constexpr int WIDTH = sizeof(places<T>) / sizeof(T);

template <class T> INLINE places<T> load(const T* p) {
  places<T> x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}

#if defined(__clang__)
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (typename Places<T>::index){__VA_ARGS__})
#endif

// x[k] is all four rows at place v + k; of eight places, also those at v + k + 4.
template <class T> INLINE void turn(const T* const* rows, int64_t v, places<T>* x) {
  const places<T> a = load(rows[0] + v), b = load(rows[1] + v), c = load(rows[2] + v), d = load(rows[3] + v);
  if constexpr (WIDTH<T> == 8) {
    const places<T> ab = SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
    const places<T> cd = SHUFFLE(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
    const places<T> AB = SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
    const places<T> CD = SHUFFLE(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
    x[0] = SHUFFLE(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
    x[1] = SHUFFLE(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
    x[2] = SHUFFLE(AB, CD, 0, 1, 8, 9, 4, 5, 12, 13);
    x[3] = SHUFFLE(AB, CD, 2, 3, 10, 11, 6, 7, 14, 15);
  } else {
    const places<T> ab = SHUFFLE(a, b, 0, 4, 1, 5), cd = SHUFFLE(c, d, 0, 4, 1, 5);
    const places<T> AB = SHUFFLE(a, b, 2, 6, 3, 7), CD = SHUFFLE(c, d, 2, 6, 3, 7);
    x[0] = SHUFFLE(ab, cd, 0, 1, 4, 5);
    x[1] = SHUFFLE(ab, cd, 2, 3, 6, 7);
    x[2] = SHUFFLE(AB, CD, 0, 1, 4, 5);
    x[3] = SHUFFLE(AB, CD, 2, 3, 6, 7);
  }
}

// The partners of such an x[k].
template <class T> INLINE places<T> pick(const T* four, const uint16_t* at, int k) {
#if defined(__AVX2__)
  if constexpr (WIDTH<T> == 8) {
    const auto half = [&](int place) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(four + ROWS * uint64_t(at[place])));
    };
    return (places<T>)_mm256_inserti128_si256(_mm256_castsi128_si256(half(k)), half(k + 4), 1);
  }
#endif
  return load(four + ROWS * uint64_t(at[k]));
}

template <class T> static void side_by_side(const T* const* rows, int64_t count, T* four) {
  int64_t v = 0;
  for (; v + WIDTH<T> <= count; v += WIDTH<T>) {
    places<T> x[ROWS];
    turn<T>(rows, v, x);
    for (int k = 0; k < ROWS; k++)
      for (int half = 0; half < WIDTH<T>; half += ROWS)
        __builtin_memcpy(four + ROWS * (v + k + half), reinterpret_cast<T*>(x + k) + half, ROWS * sizeof(T));
  }
  for (; v < count; v++)
    for (int k = 0; k < ROWS; k++) four[ROWS * v + k] = rows[k][v];
}

template <class T>
static void add_picked(const T* const* rows, const T* four, const uint16_t* at, int64_t start, int64_t end,
                       double* sums) {
  for (int64_t first = start; first < end; first += SEGMENT) {
    const int64_t last = end - first < SEGMENT ? end : first + SEGMENT;
    places<T> parts[ROWS] = {};
    for (int64_t v = first; v < last; v += WIDTH<T>) {
      places<T> x[ROWS];
      turn<T>(rows, v, x);
      UNROLL for (int k = 0; k < ROWS; k++) parts[k] += x[k] * pick(four, at + v, k);
    }
    const places<T> part = (parts[0] + parts[1]) + (parts[2] + parts[3]);
    for (int lane = 0; lane < WIDTH<T>; lane++) sums[lane] += part[lane];
  }
}

static void add_picked(const int32_t* const* rows, const int32_t* four, const uint16_t* at, int64_t start,
                       int64_t end, int64_t* sums) {
#if defined(__AVX2__)
  // One instruction multiplies every second number and leaves out the others, so half a turn is enough.
  const auto from = [](const int32_t* row) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
  };
  __m256i even = {}, odd = {};
  for (int64_t v = start; v < end; v += WIDTH<int32_t>) {
    const __m256i a = from(rows[0] + v), b = from(rows[1] + v), c = from(rows[2] + v), d = from(rows[3] + v);
    const __m256i ac[2] = {_mm256_unpacklo_epi64(a, c), _mm256_unpackhi_epi64(a, c)};
    const __m256i bd[2] = {_mm256_unpacklo_epi64(b, d), _mm256_unpackhi_epi64(b, d)};
    UNROLL for (int k = 0; k < ROWS; k++) {
      const __m256i picked = (__m256i)pick(four, at + v, k);
      even += _mm256_mul_epi32(_mm256_srli_epi64(ac[k / 2], k % 2 * 32), picked);
      odd += _mm256_mul_epi32(_mm256_srli_epi64(bd[k / 2], k % 2 * 32), _mm256_srli_epi64(picked, 32));
    }
  }
  for (int lane = 0; lane < 4; lane++) sums[lane] += even[lane] + odd[lane];
#else
  int64_t parts[ROWS] = {};
  for (int64_t v = start; v < end; v++)
    for (int k = 0; k < ROWS; k++) parts[k] += static_cast<int64_t>(rows[k][v]) * four[ROWS * at[v] + k];
  for (int k = 0; k < ROWS; k++) sums[k] += parts[k];
#endif
}

}  // namespace ISA

#define TABLE_OF(isa) picks_##isa
#define TABLE(isa) TABLE_OF(isa)
extern const Picks TABLE(ISA) = {{ISA::side_by_side<float>, ISA::add_picked<float>},
                                 {ISA::side_by_side<double>, ISA::add_picked<double>},
                                 {ISA::side_by_side<int32_t>, ISA::add_picked}};

}  // namespace consilience
