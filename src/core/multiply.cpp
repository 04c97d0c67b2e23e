// The matrix product. Compiled once per instruction set.
#include "registers.hpp"

namespace consilience {
namespace ISA {

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

// Where the v-th register of some panels begins.
template <class T> INLINE const T* place(const T* panels, int64_t panel, int v) {
  return panels + v / PER_PANEL<T> * panel + v % PER_PANEL<T> * WIDTH<T>;
}

// COLUMNS registers of B against all panels of A. Then come A's panels at `next_A`, and B's registers from
// `next` on at `next_B`.
template <class T, int COLUMNS>
INLINE void multiply_columns(int row_panels, int depth, int64_t panel, const T* A, const T* B, int column,
                             T* C, int stride, bool first, const T* next_A, const T* next_B, int next) {
  const T* at[COLUMNS];
  for (int c = 0; c < COLUMNS; c++) at[c] = place(B, panel, column + c);
  for (int i = 0; i < row_panels; i++) {
    const T* const a = A + i * panel;
    const T* const ahead = i + 1 < row_panels ? a + panel : next_A;
    multiply_panel<T, COLUMNS>(depth, a, at, C + i * PANEL * stride + column * WIDTH<T>, stride, first, ahead,
                               i < COLUMNS ? place(next_B, panel, next + i) : ahead);
  }
}

// Below the diagonal of a set's product with itself: the same numbers as above it.
template <class T> static void mirror(int panels, T* C, int stride) {
  for (int i = PANEL; i < panels * PANEL; i++)
    for (int j = 0; j < i / PANEL * PANEL; j++) C[i * stride + j] = C[j * stride + i];
}

template <class T>
void multiply(int row_panels, int column_panels, int64_t d, const T* A, const T* B, T* C, int stride) {
  constexpr int STEP = BYTES == 64 ? 3 : 2;
  const int columns = column_panels * PER_PANEL<T>;
  const int64_t panel = d * PANEL;
  const bool symmetric = A == B && row_panels == column_panels;
  for (int64_t t = 0; t < d; t += DEPTH) {
    const bool last = d - t <= DEPTH;
    const int depth = last ? static_cast<int>(d - t) : DEPTH;
    const T *const a = A + t * PANEL, *const b = B + t * PANEL;
    // After the last columns: the next units, or the next tile, which usually follows in B.
    const T* const then_A = last ? A : a + DEPTH * PANEL;
    const T* const then_B = last ? B + column_panels * panel : b + DEPTH * PANEL;
    const auto block = [=](auto f, int column, int width) {
      const int end = column + width;
      const bool more = end < columns;
      f(symmetric ? (end - 1) / PER_PANEL<T> + 1 : row_panels, depth, panel, a, b, column, C, stride, t == 0,
        more ? a : then_A, more ? b : then_B, more ? end : 0);
    };
    int j = 0;
    for (; j + STEP <= columns; j += STEP) block(multiply_columns<T, STEP>, j, STEP);
    for (; j < columns; j++) block(multiply_columns<T, 1>, j, 1);
  }
  if (symmetric) mirror(column_panels, C, stride);
}

template void multiply(int, int, int64_t, const float*, const float*, float*, int);
template void multiply(int, int, int64_t, const double*, const double*, double*, int);

}  // namespace ISA
}  // namespace consilience
