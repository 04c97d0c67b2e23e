// Compiled once per instruction set, with ISA = generic, avx2 or avx512 and BYTES = the width of its
// registers. The vectors are the compiler's own (GCC and Clang): plain operators on them become the
// instructions of that set.
#include "kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

namespace consilience {
namespace ISA {

template <class T> struct Vector;
template <> struct Vector<float> {
  typedef float type __attribute__((vector_size(BYTES)));
  typedef float unaligned __attribute__((vector_size(BYTES), aligned(4), may_alias));
};
template <> struct Vector<double> {
  typedef double type __attribute__((vector_size(BYTES)));
  typedef double unaligned __attribute__((vector_size(BYTES), aligned(8), may_alias));
};
template <class T> using vector = typename Vector<T>::type;

template <class T> constexpr int WIDTH = BYTES / sizeof(T);     // numbers in a register
template <class T> constexpr int PER_PANEL = PANEL / WIDTH<T>;  // registers in a panel

template <class T> INLINE vector<T> load(const T* p) {
  return *reinterpret_cast<const typename Vector<T>::unaligned*>(p);
}
template <class T> INLINE void store(T* p, vector<T> v) {
  *reinterpret_cast<typename Vector<T>::unaligned*>(p) = v;
}
template <class T> INLINE vector<T> repeat(T x) { return x - vector<T>{}; }

// The heart: a block of ROWS x COLUMNS registers of C stays in registers while `depth` units pass by. One
// step loads COLUMNS registers of B, and each of ROWS numbers of A multiplies them all. `ahead` is what will
// be needed next. Not inlined: among its callers' variables GCC runs out of registers and puts a sum into
// memory.
template <class T, int ROWS, int COLUMNS>
static __attribute__((noinline)) void multiply_block(int depth, const T* A, const T* const* B, T* C,
                                                     int stride, bool first, const T* ahead) {
  vector<T> sum[ROWS][COLUMNS];
  UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int c = 0; c < COLUMNS; c++) sum[r][c] = vector<T>{};
  _Pragma("GCC unroll 4") for (int t = 0; t < depth; t++) {
    __builtin_prefetch(ahead + t * PANEL);
    vector<T> b[COLUMNS];
    UNROLL for (int c = 0; c < COLUMNS; c++) b[c] = load(B[c] + t * PANEL);
    UNROLL for (int r = 0; r < ROWS; r++) {
      const vector<T> a = repeat(A[t * PANEL + r]);
      UNROLL for (int c = 0; c < COLUMNS; c++) sum[r][c] += a * b[c];
    }
  }
  UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int c = 0; c < COLUMNS; c++) {
    T* const to = C + r * stride + c * WIDTH<T>;
    store(to, first ? sum[r][c] : load(to) + sum[r][c]);
  }
}

// One panel of A (sixteen rows) against COLUMNS registers of B, in as many blocks as the register file asks
// for: AVX-512 has 32 registers (8 + 8 rows of 3), the others 16 (6 + 6 + 4 rows of 2).
template <class T, int COLUMNS>
INLINE void multiply_panel(int depth, const T* A, const T* const* B, T* C, int stride, bool first,
                           const T* next_A, const T* next_B) {
#if BYTES == 64
  multiply_block<T, 8, COLUMNS>(depth, A, B, C, stride, first, next_A);
  multiply_block<T, 8, COLUMNS>(depth, A + 8, B, C + 8 * stride, stride, first, next_B);
#else
  multiply_block<T, 6, COLUMNS>(depth, A, B, C, stride, first, next_A);
  multiply_block<T, 6, COLUMNS>(depth, A + 6, B, C + 6 * stride, stride, first, next_B);
  multiply_block<T, 4, COLUMNS>(depth, A + 12, B, C + 12 * stride, stride, first, next_A);
#endif
}

template <class T, int COLUMNS>
INLINE void multiply_columns(int row_panels, int depth, int64_t panel, const T* A, const T* B, int column,
                             T* C, int stride, bool first) {
  const T* at[COLUMNS];
  for (int c = 0; c < COLUMNS; c++) {
    const int v = column + c;
    at[c] = B + v / PER_PANEL<T> * panel + v % PER_PANEL<T> * WIDTH<T>;
  }
  for (int i = 0; i < row_panels; i++) {
    const T* const a = A + i * panel;
    const T* const next_A = i + 1 < row_panels ? a + panel : A;
    const T* const next_B =
        i < COLUMNS ? at[i] + (COLUMNS + PER_PANEL<T> - 1) / PER_PANEL<T> * panel : next_A;
    multiply_panel<T, COLUMNS>(depth, a, at, C + i * PANEL * stride + column * WIDTH<T>, stride, first,
                               next_A, next_B);
  }
}

template <class T>
static void multiply(int row_panels, int column_panels, int64_t d, const T* A, const T* B, T* C, int stride) {
  constexpr int STEP = BYTES == 64 ? 3 : 2;
  const int columns = column_panels * PER_PANEL<T>;
  for (int64_t t = 0; t < d; t += DEPTH) {
    const int depth = d - t < DEPTH ? static_cast<int>(d - t) : DEPTH;
    const T *const a = A + t * PANEL, *const b = B + t * PANEL;
    int j = 0;
    for (; j + STEP <= columns; j += STEP)
      multiply_columns<T, STEP>(row_panels, depth, d * PANEL, a, b, j, C, stride, t == 0);
    for (; j < columns; j++) multiply_columns<T, 1>(row_panels, depth, d * PANEL, a, b, j, C, stride, t == 0);
  }
}

// A comparison's outcome, one bit a number.
template <class T> INLINE unsigned greater(vector<T> x, vector<T> y) {
  const auto outcome = x > y;
#if BYTES == 64 && defined(__AVX512DQ__)
  return sizeof(T) == 4 ? _mm512_movepi32_mask((__m512i)outcome) : _mm512_movepi64_mask((__m512i)outcome);
#elif BYTES == 32 && defined(__AVX2__)
  return sizeof(T) == 4 ? _mm256_movemask_ps((__m256)outcome) : _mm256_movemask_pd((__m256d)outcome);
#elif BYTES == 16 && defined(__SSE2__)
  return sizeof(T) == 4 ? _mm_movemask_ps((__m128)outcome) : _mm_movemask_pd((__m128d)outcome);
#else
  unsigned bits = 0;
  for (int i = 0; i < WIDTH<T>; i++) bits |= (outcome[i] != 0 ? 1u : 0u) << i;
  return bits;
#endif
}

INLINE int note(unsigned bits, int start, int* found, int count) {
  for (; bits; bits &= bits - 1) found[count++] = start + __builtin_ctz(bits);
  return count;
}

template <class T> static int above(int n, const T* scores, const T* bias, T bar, int* found) {
  int count = 0;
  for (int j = 0; j < n; j += WIDTH<T>)
    count = note(greater<T>(load(scores + j) + load(bias + j), repeat(bar)), j, found, count);
  return count;
}

template <class T> static int above_each(int n, const T* scores, T bias, const T* bars, int* found) {
  int count = 0;
  for (int j = 0; j < n; j += WIDTH<T>)
    count = note(greater<T>(load(scores + j) + repeat(bias), load(bars + j)), j, found, count);
  return count;
}

}  // namespace ISA

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)
#define TABLE_OF(isa) isa_##isa
#define TABLE(isa) TABLE_OF(isa)
extern const Isa TABLE(ISA) = {
    NAME(ISA),
    {240, ISA::multiply<float>, ISA::above<float>, ISA::above_each<float>},
    {144, ISA::multiply<double>, ISA::above<double>, ISA::above_each<double>},
};

}  // namespace consilience
