// From somebody's array of any float type and any strides to panels of sixteen rows that the kernels stream
// through.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "kernels.hpp"
#include "similarity.hpp"
#include "workers.hpp"

namespace consilience {

// Memory aligned to a cache line, not initialised.
template <class T> struct Buffer {
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t(64)); }
  };
  std::unique_ptr<T[], Free> data;
  Buffer() = default;
  explicit Buffer(std::size_t count)
      : data(static_cast<T*>(::operator new(count * sizeof(T) + 64, std::align_val_t(64)))) {}
  T* get() const { return data.get(); }
  T& operator[](std::int64_t i) const { return data[i]; }
};

// The rows of one set, ready to be multiplied. Scaled so that no row is longer than one.
template <class T> struct Packed {
  using Score = T;  // of a pair of rows
  std::int64_t n = 0, d = 0, panels = 0;
  Buffer<T> values;  // [panels][d][16], rows beyond n are zero
  Buffer<T>
      bias;  // what a score gains in this row's column: -|y|²/2 for the Euclidean, else 0; padded by -inf
  std::vector<double> norms;  // lengths of the scaled rows
  double longest = 0;         // the largest of them

  Packed() = default;
  Packed(std::int64_t n, std::int64_t d);
  const T* panel(std::int64_t row) const { return values.get() + row / PANEL * d * PANEL; }
};

// Row i in float64.
void read_row(const View& view, std::int64_t i, double* row);

// The sum of terms between a row in float64 and row j of a view, in the definition's order.
double sum_of_terms(const Isa& isa, Similarity similarity, const double* row, const View& view,
                    std::int64_t j);

// The sum of products of two rows in float64, in the definition's order.
double sum_of_products(const double* x, const double* y, std::int64_t d);

// Column means in float64, in an order that depends on n alone.
std::vector<double> means(const View& view, const Workers& workers);

// The same of rows that are first multiplied by a factor each.
std::vector<double> means(const View& view, const std::vector<double>& factors, const Workers& workers);

// Sums of squares of each row, in the definition's order; of the row minus `shift` where one is given.
std::vector<double> squares(const View& view, const std::vector<double>& shift, const Workers& workers);

// The power of two that brings the longest row of both sets to at most one, so that no product overflows.
// Throws where a row is not finite, or is zero though a cosine is asked for: Python has refused those in
// better words, but nothing below is safe with them.
double scale_for(const std::vector<double>& X2, const std::vector<double>& Y2, Similarity similarity);

// (row - shift) times `scale`, or unit rows for the cosine, as T, in panels. `squares` are those of the
// shifted rows.
template <class T>
Packed<T> pack(const View& view, Similarity similarity, const std::vector<double>& shift,
               const std::vector<double>& squares, double scale, const Workers& workers);

// The rows of a set as kernels want them: brought to length one where asked, then centred, unit by unit. All
// in float64 and first of all, so that a large mean costs no digits.
struct Centred {
  const View& view;
  std::vector<double> lengths;  // of the rows before, or none
  std::vector<double> mean;
  std::vector<double> squares;  // squared lengths of the centred rows

  Centred(const View& view, bool unit_rows, const Workers& workers);
  void read(std::int64_t i, double* row) const;  // row i in float64
};

// The mean of squared lengths, and the length of the longest row. The mean throws where rows are not finite
// or do not vary: Python has refused those in better words, but nothing below is safe with them.
double mean_square(const std::vector<double>& squares);
double longest_row(const std::vector<double>& squares);

// Centred rows times `scale`, as T, in panels. The bias is minus half the squared length.
template <class T> Packed<T> pack(const Centred& rows, double scale, const Workers& workers);

// Time series, each centred by itself. It is first counted from its own first value: so a large mean costs no
// digit, and a constant series is exactly zero.
struct Series {
  View view;                    // row i is the i-th series
  std::vector<char> copy;       // of all series, one after the other, if they are to be read in any order
  std::vector<double> mean;     // of each, counted from its first value
  std::vector<double> squares;  // squared lengths of the centred series

  // The columns of a view; its rows are points in time.
  Series(const View& over_time, bool in_any_order);
  void read(std::int64_t i, double* row) const;  // series i, centred, in float64
};

// Throws where a series is not finite or does not vary: Python has refused those in better words, but nothing
// below is safe with them.
void check_squares(const std::vector<double>& squares);

// Measures the series (mean, squares) and packs them, brought to length one, times `sign`.
template <class T> Packed<T> pack(Series& series, double sign, const Workers& workers);

// Some rows of a packed set, as a packed set of their own.
template <class T> Packed<T> gather(const Packed<T>& from, const std::vector<std::int64_t>& rows);

// Row i of a packed set in float64.
template <class T> void read_row(const Packed<T>& from, std::int64_t i, double* row);

}  // namespace consilience
