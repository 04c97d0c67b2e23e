// The few loops that need the machine's widest registers, as a table of functions.
//
// multiply.cpp, kernels.cpp, picks.cpp and definition.cpp are compiled once per instruction set and fill one table
// each time; `isa` picks a table at run time. No standard library here or there: an inline function compiled for
// AVX-512 could be merged by the linker with the same one compiled for any CPU, and would then crash on the older ones.
#pragma once
#include <cstdint>

namespace consilience {

constexpr int PANEL = 16;  // rows that lie together: packed arrays are [ceil(n / 16)][d][16]
constexpr int DEPTH =
    128;                  // units multiplied in one go: the share of a few panels stays in the nearest cache
constexpr int STEP = 32;  // units of a row of bfloat16 in a tile register
constexpr int LENGTH = PANEL * STEP;  // numbers in one
constexpr int LANES = 16;             // of a sum by the definition (similarity.hpp)
constexpr int CHAINS = 12;  // multiply-adds that need not wait for each other: four cycles, two ports

// Three numbers of each row; see relation_sums.hpp.
template <class T> struct Terms {
  const T *u, *p, *e;
};

template <class T> struct Kernels {
  int tile;   // edge of a tile, a multiple of 48: two operands and the result share the second cache
  int width;  // numbers in a register

  // C = A B', for `row_panels` panels of A and `column_panels` of B. Each entry is a chain of at most DEPTH
  // fused multiply-adds from zero, and the chains are added in order. Where A is B, half of it is copied.
  void (*multiply)(int row_panels, int column_panels, int64_t d, const T* A, const T* B, T* C, int stride);

  // Which of n scores exceed the bar? Columns with scores[j] + bias[j] > bar go to `found`; returns how many.
  // n is rounded up to whole panels; pad the bias with minus infinity.
  int (*above)(int n, const T* scores, const T* bias, T bar, int* found);

  // The same for a transposed tile: one bias, and a bar for each column. Pad the bars with infinity.
  int (*above_each)(int n, const T* scores, T bias, const T* bars, int* found);

  // For each of n scores, how many of them are larger: n² / width steps without a branch to guess, so for few. Both
  // arrays reach to whole panels.
  void (*count_larger)(int n, const T* scores, T* larger);

  // How many of n scores exceed `high`? Each of them adds one to its column's count. Those in doubt, above
  // `low` but not above `high`, go to `found`; returns how many. Pad the scores with NaN.
  int (*count_above)(int n, const T* scores, T low, T high, int* of_row, T* of_columns, int* found);

  // Scores lose their signs, in place.
  void (*magnitudes)(int rows, int column_panels, T* scores, int stride);

  // Products of rows become values of a kernel, less a shift, in place. With h = score + bias[i] + bias[j],
  // which is minus half a squared distance: 2^h, or 2^-sqrt(-2 h).
  void (*gaussian)(int rows, int column_panels, T* scores, int stride, const T* row_bias,
                   const T* column_bias, T shift);
  void (*laplacian)(int rows, int column_panels, T* scores, int stride, const T* row_bias,
                    const T* column_bias, T shift);

  // Adds the sums of K L, K K and L L over a pair of tiles. A row is summed over sixteen lanes in T, whatever
  // the width of a register; the rows are added in float64.
  void (*sum_products)(int rows, int column_panels, const T* K, const T* L, int stride, double* sums);

  // Adds to sums[a * layers + b] the sum of A B over the a-th and the b-th of `layers` tiles, which lie `apart`
  // numbers from one to the next, at least for a <= b. Added up in the same order.
  void (*sum_pairs)(int rows, int column_panels, int layers, const T* tiles, int64_t apart, int stride,
                    double* sums);

  // Adds the sum of each row, likewise; and of each column, in T over sixteen rows, then in float64.
  void (*sum_rows)(int rows, int column_panels, const T* K, int stride, double* of_rows, double* of_columns);

  // From tiles of K and L to those of a u-centred A and of B = A A, in place; see relation_sums.hpp.
  void (*u_centre)(int rows, int column_panels, T* K, T* L, int stride, Terms<T> of_rows,
                   Terms<T> of_columns);

  // Adds the sums of A³, A⁴, A B, A² B and B² over a pair of tiles, entry by entry; rows as in sum_products.
  void (*sum_powers)(int rows, int column_panels, const T* A, const T* B, int stride, double* sums);

  // Nothing but multiply-adds of registers, CHAINS side by side, `times` each: x = x factor + 1. No loop can do
  // them faster. `x` is CHAINS numbers, in and out.
  void (*spin)(int64_t times, T factor, T* x);
};

// The definition's sums, from definition.cpp: sums[r * stride + c] is that of row r of A and row c of B. Rows
// lie one after another, `length` apart: whole sets of lanes, with zeros beyond the last unit.
struct Definition {
  void (*sum_products)(int rows, int columns, int64_t length, const double* A, const double* B, double* sums,
                       int stride);
  void (*sum_squared_gaps)(int rows, int columns, int64_t length, const double* A, const double* B,
                           double* sums, int stride);

  // That of one row in float64 and one as it was given, its d units side by side.
  double (*product_with_floats)(int64_t d, const double* x, const float* y);
  double (*product_with_doubles)(int64_t d, const double* x, const double* y);
  double (*squared_gap_with_floats)(int64_t d, const double* x, const float* y);
  double (*squared_gap_with_doubles)(int64_t d, const double* x, const double* y);
  auto product_with(const float*) const { return product_with_floats; }
  auto product_with(const double*) const { return product_with_doubles; }
  auto squared_gap_with(const float*) const { return squared_gap_with_floats; }
  auto squared_gap_with(const double*) const { return squared_gap_with_doubles; }
};

// Sums of products of rows with entries picked from others, for permutations; see picks.cpp.
constexpr int PICKED_ROWS = 4;  // at once
constexpr int PICKED_SUMS = 8;  // lanes that they are added up in

template <class T, class Sum> struct PicksOf {
  // Four rows become [count][4].
  void (*side_by_side)(const T* const* rows, int64_t count, T* four);

  // Adds, over rows k and start <= v < end, rows[k][v] times entry k of four[at[v]]; both are multiples of 8. Floats
  // are added up in T over 128 places, then in float64.
  void (*add)(const T* const* rows, const T* four, const uint16_t* at, int64_t start, int64_t end, Sum* sums);
};

struct Picks {
  PicksOf<float, double> in_float;
  PicksOf<double, double> in_double;
  PicksOf<int32_t, int64_t> in_whole;
  const auto& of(float) const { return in_float; }
  const auto& of(double) const { return in_double; }
  const auto& of(int32_t) const { return in_whole; }
};

// Products of rows in bfloat16, where the CPU multiplies whole tiles of them (AMX): some seven times as fast as
// float32, and good enough for a guess; in two parts twice as fast, and good enough for sums. From amx.cpp.
struct Tiles16 {
  int tile;  // edge of a tile

  // Writes the nearest bfloat16 of d numbers, ties to even, and returns the squared length of what that moves. d is
  // a multiple of STEP.
  double (*round)(int64_t d, const double* x, uint16_t* to);

  // C = A B', for even numbers of panels. A panel of A is [steps][16 rows][STEP units], one of B is
  // [steps][STEP / 2 pairs of units][16 rows][2].
  void (*multiply)(int row_panels, int column_panels, int64_t steps, const uint16_t* A, const uint16_t* B,
                   float* C, int stride);

  // Writes the nearest bfloat16 of d numbers, and those of what that loses.
  void (*split)(int64_t d, const double* x, uint16_t* to, uint16_t* lost);

  // The same product for numbers in two parts: a step of a panel is followed by the same step of what was lost.
  // Three products of four, for the losses' own are beyond the last digit.
  void (*multiply_split)(int row_panels, int column_panels, int64_t steps, const uint16_t* A,
                         const uint16_t* B, float* C, int stride);

  // From steps of a panel of B to those of a panel of A, or back.
  void (*turn)(int64_t steps, const uint16_t* from, uint16_t* to);
};

struct Isa {
  const char* name;
  Kernels<float> in_float;
  Kernels<double> in_double;
  const Definition& definition;
  const Picks& picks;
  const Tiles16* tiles16 = nullptr;  // where there are such
  const Kernels<float>& kernels(float) const { return in_float; }
  const Kernels<double>& kernels(double) const { return in_double; }
};

extern const Isa isa_generic;
extern const Definition definition_generic;
extern const Picks picks_generic;
#if defined(__x86_64__) && defined(__GNUC__)
extern const Isa isa_avx2, isa_avx512;
extern const Definition definition_avx2, definition_avx512;
extern const Picks picks_avx2, picks_avx512;
extern const Isa isa_amx;
bool amx_is_granted();
#endif

}  // namespace consilience
