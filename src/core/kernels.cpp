// Comparisons, kernels and sums over tiles. Compiled once per instruction set.
#include "registers.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace consilience {
namespace ISA {

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

template <class T> static void count_larger(int n, const T* scores, T* larger) {
  for (int i = 0; i < n; i += WIDTH<T>) {
    const vector<T> own = load(scores + i);
    typename Vector<T>::bits count = {};
    for (int j = 0; j < n; j++) count -= repeat(scores[j]) > own;
    store(larger + i, __builtin_convertvector(count, vector<T>));
  }
}

template <class T>
static int count_above(int n, const T* scores, T low, T high, int* of_row, T* of_columns, int* found) {
  int row = 0, count = 0;
  for (int j = 0; j < n; j += WIDTH<T>) {
    const vector<T> x = load(scores + j);
    const unsigned surely = greater<T>(x, repeat(high)), perhaps = greater<T>(x, repeat(low));
    row += __builtin_popcount(surely);
    store(of_columns + j, load(of_columns + j) + (x > repeat(high) ? repeat(T(1)) : vector<T>{}));
    count = note(perhaps & ~surely, j, found, count);
  }
  *of_row = row;
  return count;
}

template <class T> static void magnitudes(int rows, int column_panels, T* scores, int stride) {
  for (int i = 0; i < rows; i++, scores += stride)
    for (int j = 0; j < column_panels * PANEL; j += WIDTH<T>) {
      const vector<T> x = load(scores + j);
      store(scores + j, x < 0 ? -x : x);
    }
}

// 2^x for x <= 0: the whole part of x goes into the exponent's bits, the rest, at most a half, through as
// many terms of the exponential series as T can tell. Where 2^x would vanish it is the smallest normal
// number.
template <class T> struct Exponential;
template <> struct Exponential<float> {
  static constexpr int TERMS = 7, MANTISSA = 23;
  static constexpr float LEAST = -126, ROUNDER = 0x1.8p23f;
};
template <> struct Exponential<double> {
  static constexpr int TERMS = 13, MANTISSA = 52;
  static constexpr double LEAST = -1022, ROUNDER = 0x1.8p52;
};

template <class T> INLINE vector<T> power_of_two(vector<T> x) {
  typedef typename Vector<T>::bits Bits;
  typedef Exponential<T> E;
  constexpr double LN2 = 0.693147180559945309417;
  const vector<T> least = repeat(E::LEAST);
  x = x > least ? x : least;
  const vector<T> rounded = x + repeat(E::ROUNDER);  // its last bits are the nearest whole number
  const vector<T> rest = x - (rounded - repeat(E::ROUNDER));
  double coefficient[E::TERMS + 1] = {1};  // known to the compiler
  UNROLL for (int i = 1; i <= E::TERMS; i++) coefficient[i] = coefficient[i - 1] * LN2 / i;
  vector<T> series = repeat(static_cast<T>(coefficient[E::TERMS]));
  UNROLL for (int i = E::TERMS - 1; i >= 0; i--) series =
      series * rest + repeat(static_cast<T>(coefficient[i]));
  return (vector<T>)((Bits)series + ((Bits)rounded << E::MANTISSA));
}

INLINE float root(float x) { return __builtin_sqrtf(x); }
INLINE double root(double x) { return __builtin_sqrt(x); }

template <class T>
static void gaussian(int rows, int column_panels, T* scores, int stride, const T* row_bias,
                     const T* column_bias, T shift) {
  for (int i = 0; i < rows; i++, scores += stride)
    for (int j = 0; j < column_panels * PANEL; j += WIDTH<T>) {
      const vector<T> h = load(scores + j) + (load(column_bias + j) + repeat(row_bias[i]));
      store(scores + j, power_of_two<T>(h < 0 ? h : vector<T>{}) - repeat(shift));
    }
}

template <class T>
static void laplacian(int rows, int column_panels, T* scores, int stride, const T* row_bias,
                      const T* column_bias, T shift) {
  const int columns = column_panels * PANEL;
  for (int i = 0; i < rows; i++, scores += stride) {
    for (int j = 0; j < columns; j += WIDTH<T>) {
      const vector<T> h = load(scores + j) + (load(column_bias + j) + repeat(row_bias[i]));
      store(scores + j, h < 0 ? h * repeat(T(-2)) : vector<T>{});
    }
    for (int j = 0; j < columns; j++) scores[j] = root(scores[j]);
    for (int j = 0; j < columns; j += WIDTH<T>)
      store(scores + j, power_of_two<T>(-load(scores + j)) - repeat(shift));
  }
}

template <class T>
static void sum_products(int rows, int column_panels, const T* K, const T* L, int stride, double* sums) {
  double total[3][PANEL] = {};
  for (int i = 0; i < rows; i++, K += stride, L += stride) {
    vector<T> kl[PER_PANEL<T>] = {}, kk[PER_PANEL<T>] = {}, ll[PER_PANEL<T>] = {};
    for (int j = 0; j < column_panels * PANEL; j += PANEL) UNROLL for (int v = 0; v < PER_PANEL<T>; v++) {
        const vector<T> k = load(K + j + v * WIDTH<T>), l = load(L + j + v * WIDTH<T>);
        kl[v] += k * l;
        kk[v] += k * k;
        ll[v] += l * l;
      }
    T lanes[3][PANEL];
    UNROLL for (int v = 0; v < PER_PANEL<T>; v++) {
      store(lanes[0] + v * WIDTH<T>, kl[v]);
      store(lanes[1] + v * WIDTH<T>, kk[v]);
      store(lanes[2] + v * WIDTH<T>, ll[v]);
    }
    for (int s = 0; s < 3; s++)
      for (int l = 0; l < PANEL; l++) total[s][l] += lanes[s][l];
  }
  for (int s = 0; s < 3; s++)
    for (int l = 0; l < PANEL; l++) sums[s] += total[s][l];
}

// AS x BS pairs of tiles at once, so that a number serves several pairs when it is loaded; one register of the
// sixteen lanes after the other, so that their sums stay in registers along a row.
template <class T, int AS, int BS>
static void sum_block(int rows, int columns, const T* A, const T* B, int64_t apart, int stride, double* sums,
                      int layers) {
  double total[AS][BS][PANEL] = {};
  for (int i = 0; i < rows; i++, A += stride, B += stride)
    for (int v = 0; v < PANEL; v += WIDTH<T>) {
      vector<T> sum[AS][BS];
      UNROLL for (int a = 0; a < AS; a++) UNROLL for (int b = 0; b < BS; b++) sum[a][b] = vector<T>{};
      for (int j = v; j < columns; j += PANEL) {
        vector<T> y[BS];
        UNROLL for (int b = 0; b < BS; b++) y[b] = load(B + b * apart + j);
        UNROLL for (int a = 0; a < AS; a++) {
          const vector<T> x = load(A + a * apart + j);
          UNROLL for (int b = 0; b < BS; b++) sum[a][b] += x * y[b];
        }
      }
      UNROLL for (int a = 0; a < AS; a++) UNROLL for (int b = 0; b < BS; b++) {
        T lanes[WIDTH<T>];
        store(lanes, sum[a][b]);
        for (int l = 0; l < WIDTH<T>; l++) total[a][b][v + l] += lanes[l];
      }
    }
  for (int a = 0; a < AS; a++)
    for (int b = 0; b < BS; b++)
      for (int l = 0; l < PANEL; l++) sums[a * layers + b] += total[a][b][l];
}

template <class T>
static void sum_pairs(int rows, int column_panels, int layers, const T* tiles, int64_t apart, int stride,
                      double* sums) {
  constexpr int AS = BYTES == 64 ? 4 : 2, BS = 4;
  const auto block = [=](auto f, int a, int b) {
    f(rows, column_panels * PANEL, tiles + a * apart, tiles + b * apart, apart, stride, sums + a * layers + b,
      layers);
  };
  for (int a = 0; a < layers; a += AS) {
    const int last = a + AS < layers ? a + AS : layers;
    int b = a;
    if (last == a + AS)
      for (; b + BS <= layers; b += BS) block(sum_block<T, AS, BS>, a, b);
    for (; b < layers; b++)
      for (int one = a; one < last; one++) block(sum_block<T, 1, 1>, one, b);
  }
}

template <class T>
static void sum_rows(int rows, int column_panels, const T* K, int stride, double* of_rows,
                     double* of_columns) {
  for (int first = 0; first < rows; first += PANEL) {
    const int last = rows - first < PANEL ? rows : first + PANEL;
    vector<T> across[PANEL][PER_PANEL<T>] = {};
    for (int j = 0; j < column_panels * PANEL; j += PANEL) {
      vector<T> down[PER_PANEL<T>] = {};
      for (int i = first; i < last; i++) UNROLL for (int v = 0; v < PER_PANEL<T>; v++) {
          const vector<T> k = load(K + i * stride + j + v * WIDTH<T>);
          across[i - first][v] += k;
          down[v] += k;
        }
      T lanes[PANEL];
      UNROLL for (int v = 0; v < PER_PANEL<T>; v++) store(lanes + v * WIDTH<T>, down[v]);
      for (int l = 0; l < PANEL; l++) of_columns[j + l] += lanes[l];
    }
    for (int i = first; i < last; i++) {
      T lanes[PANEL];
      UNROLL for (int v = 0; v < PER_PANEL<T>; v++) store(lanes + v * WIDTH<T>, across[i - first][v]);
      for (int l = 0; l < PANEL; l++) of_rows[i] += lanes[l];
    }
  }
}

template <class T>
static void u_centre(int rows, int column_panels, T* K, T* L, int stride, Terms<T> of_rows,
                     Terms<T> of_columns) {
  for (int i = 0; i < rows; i++, K += stride, L += stride) {
    const vector<T> u = repeat(of_rows.u[i]), p = repeat(of_rows.p[i]), e = repeat(of_rows.e[i]);
    for (int j = 0; j < column_panels * PANEL; j += WIDTH<T>) {
      const vector<T> a = load(K + j) + (u + load(of_columns.u + j));
      store(K + j, a);
      store(L + j, load(L + j) + (p + load(of_columns.p + j)) - (e + load(of_columns.e + j)) * a);
    }
  }
}

template <class T>
static void sum_powers(int rows, int column_panels, const T* A, const T* B, int stride, double* sums) {
  constexpr int SUMS = 5;
  double total[SUMS][PANEL] = {};
  for (int i = 0; i < rows; i++, A += stride, B += stride) {
    vector<T> row[SUMS][PER_PANEL<T>] = {};
    for (int j = 0; j < column_panels * PANEL; j += PANEL) UNROLL for (int v = 0; v < PER_PANEL<T>; v++) {
        const vector<T> a = load(A + j + v * WIDTH<T>), b = load(B + j + v * WIDTH<T>), square = a * a;
        row[0][v] += square * a;
        row[1][v] += square * square;
        row[2][v] += a * b;
        row[3][v] += square * b;
        row[4][v] += b * b;
      }
    for (int s = 0; s < SUMS; s++) {
      T lanes[PANEL];
      UNROLL for (int v = 0; v < PER_PANEL<T>; v++) store(lanes + v * WIDTH<T>, row[s][v]);
      for (int l = 0; l < PANEL; l++) total[s][l] += lanes[l];
    }
  }
  for (int s = 0; s < SUMS; s++)
    for (int l = 0; l < PANEL; l++) sums[s] += total[s][l];
}

template <class T> static void spin(int64_t times, T factor, T* x) {
  vector<T> sum[CHAINS];
  UNROLL for (int c = 0; c < CHAINS; c++) sum[c] = repeat(x[c]);
  const vector<T> by = repeat(factor), one = repeat(T(1));
  for (int64_t t = 0; t < times; t++) UNROLL for (int c = 0; c < CHAINS; c++) sum[c] = sum[c] * by + one;
  UNROLL for (int c = 0; c < CHAINS; c++) x[c] = sum[c][0];
}

template <class T> constexpr Kernels<T> table(int tile) {
  return {tile,           WIDTH<T>,      multiply<T>,   above<T>,     above_each<T>,   count_larger<T>,
          count_above<T>, magnitudes<T>, gaussian<T>,   laplacian<T>, sum_products<T>, sum_pairs<T>,
          sum_rows<T>,    u_centre<T>,   sum_powers<T>, spin<T>};
}

}  // namespace ISA

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)
#define TABLE_OF(kind, isa) kind##_##isa
#define TABLE(kind, isa) TABLE_OF(kind, isa)
extern const Isa TABLE(isa, ISA) = {
    NAME(ISA), ISA::table<float>(240), ISA::table<double>(144), TABLE(definition, ISA), TABLE(picks, ISA),
};

}  // namespace consilience
