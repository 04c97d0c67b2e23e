// The definition's sums (similarity.hpp), a block of pairs at a time. Compiled once per instruction set like
// kernels.cpp, but no multiplication may fuse with an addition here: every set gives the same bits.
#include "kernels.hpp"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

namespace consilience {
namespace {

constexpr int WIDTH = BYTES / sizeof(double);  // lanes in a register
constexpr int EDGE = BYTES == 64 ? 5 : 3;  // EDGE x EDGE sums, and EDGE + 2 operands, fit into the registers

typedef double Vector __attribute__((vector_size(BYTES)));
typedef double Pair __attribute__((vector_size(16)));

template <class V> INLINE V load(const double* p) {
  typedef V unaligned __attribute__((aligned(8), may_alias));
  return *reinterpret_cast<const unaligned*>(p);
}
INLINE void store(double* p, Vector v) {
  typedef Vector unaligned __attribute__((aligned(8), may_alias));
  *reinterpret_cast<unaligned*>(p) = v;
}

struct Product {
  INLINE Vector of(Vector x, Vector y) { return x * y; }
};
struct SquaredGap {
  INLINE Vector of(Vector x, Vector y) { return (x - y) * (x - y); }
};

// Sixteen lanes of EDGE x EDGE pairs of rows: as many lanes at a time as a register holds, so that a block of
// pairs stays in registers while all units pass by. Not inlined: see kernels.cpp.
template <class Term>
__attribute__((noinline)) void sum_block(int64_t length, const double* const* A, const double* const* B,
                                         double (*lanes)[LANES]) {
  for (int lane = 0; lane < LANES; lane += WIDTH) {
    const double *a[EDGE], *b[EDGE];
    UNROLL for (int e = 0; e < EDGE; e++) {
      a[e] = A[e] + lane;
      b[e] = B[e] + lane;
    }
    Vector sum[EDGE][EDGE];
    UNROLL for (int r = 0; r < EDGE; r++) UNROLL for (int c = 0; c < EDGE; c++) sum[r][c] = Vector{};
    for (int64_t t = 0; t < length; t += LANES) {
      Vector x[EDGE];
      UNROLL for (int r = 0; r < EDGE; r++) x[r] = load<Vector>(a[r] + t);
      UNROLL for (int c = 0; c < EDGE; c++) {
        const Vector y = load<Vector>(b[c] + t);
        UNROLL for (int r = 0; r < EDGE; r++) sum[r][c] += Term::of(x[r], y);
      }
    }
    UNROLL for (int r = 0; r < EDGE; r++) UNROLL for (int c = 0; c < EDGE; c++) {
      store(lanes[r * EDGE + c] + lane, sum[r][c]);
    }
  }
}

// The upper half of the lanes to the lower, until one is left.
INLINE double add_up(const double* lanes) {
  Pair pairs[LANES / 2];
  UNROLL for (int p = 0; p < LANES / 2; p++) pairs[p] = load<Pair>(lanes + 2 * p);
  UNROLL for (int half = LANES / 4; half > 0; half /= 2) {
    UNROLL for (int p = 0; p < half; p++) pairs[p] += pairs[p + half];
  }
  return pairs[0][0] + pairs[0][1];
}

// At the edges the last row stands in for those beyond it, and what comes of that is not kept.
template <class Term>
void sums(int rows, int columns, int64_t length, const double* A, const double* B, double* to, int stride) {
  double lanes[EDGE * EDGE][LANES];
  for (int i = 0; i < rows; i += EDGE)
    for (int j = 0; j < columns; j += EDGE) {
      const double *a[EDGE], *b[EDGE];
      for (int e = 0; e < EDGE; e++) {
        a[e] = A + (i + e < rows ? i + e : rows - 1) * length;
        b[e] = B + (j + e < columns ? j + e : columns - 1) * length;
      }
      sum_block<Term>(length, a, b, lanes);
      for (int r = 0; r < EDGE && i + r < rows; r++)
        for (int c = 0; c < EDGE && j + c < columns; c++)
          to[(i + r) * stride + j + c] = add_up(lanes[r * EDGE + c]);
    }
}

// WIDTH numbers of any type in float64.
template <class S> INLINE Vector widen(const S* p) {
  typedef S some __attribute__((vector_size(WIDTH * sizeof(S)), aligned(sizeof(S)), may_alias));
  return __builtin_convertvector(*reinterpret_cast<const some*>(p), Vector);
}

// Zeros stand in for units beyond the last: what they add is zero.
template <class Term, class S> double sum_of_rows(int64_t d, const double* x, const S* y) {
  Vector sum[LANES / WIDTH] = {};
  const int64_t whole = d - d % LANES;
  for (int64_t t = 0; t < whole; t += LANES)
    UNROLL for (int v = 0; v < LANES / WIDTH; v++) sum[v] +=
        Term::of(load<Vector>(x + t + v * WIDTH), widen(y + t + v * WIDTH));
  double x_rest[LANES] = {}, lanes[LANES];
  S y_rest[LANES] = {};
  for (int64_t t = whole; t < d; t++) {
    x_rest[t - whole] = x[t];
    y_rest[t - whole] = y[t];
  }
  UNROLL for (int v = 0; v < LANES / WIDTH; v++) {
    sum[v] += Term::of(load<Vector>(x_rest + v * WIDTH), widen(y_rest + v * WIDTH));
    store(lanes + v * WIDTH, sum[v]);
  }
  return add_up(lanes);
}

}  // namespace

#define TABLE_OF(isa) definition_##isa
#define TABLE(isa) TABLE_OF(isa)
extern const Definition TABLE(ISA) = {sums<Product>,
                                      sums<SquaredGap>,
                                      sum_of_rows<Product, float>,
                                      sum_of_rows<Product, double>,
                                      sum_of_rows<SquaredGap, float>,
                                      sum_of_rows<SquaredGap, double>};

}  // namespace consilience
