// What "similar" means, once, for every road that leads to a neighbour.
//
// The definition is a sum of d terms in float64 over sixteen interleaved lanes, added up as a tree, with no
// fused multiply-add. The order of every addition is fixed, so the CPU of any instruction set, the GPU and
// the NumPy twin return the same bits, and two identical rows are exactly as similar to any third. (The files
// that include this are compiled with -ffp-contract=off, --fmad=false.)
//
// The engine guesses neighbours with fast arithmetic, then settles them by this definition. `doubt` bounds
// how far a guess can be from the definition; it is what makes the settled neighbours certain.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels.hpp"

#if defined(__CUDACC__)
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

namespace consilience {

enum class Similarity { cosine, dot, euclidean };

HOST_DEVICE inline double term(Similarity similarity, double x, double y) {
  if (similarity == Similarity::euclidean) {
    const double gap = x - y;
    return gap * gap;
  }
  return x * y;
}

// From the sum of products to the cosine. x2 and y2 are the rows' own sums of squares, taken in the same
// order; where they are equal their roots are not used, so that a row's cosine with its copy is exactly one
// (and with one unit, every cosine is exactly 1 or -1).
HOST_DEVICE inline double cosine_of(double sum, double x2, double y2, double x_root, double y_root) {
  const double cosine = sum / (x2 == y2 ? x2 : x_root * y_root);
  return cosine > 1 ? 1.0 : cosine < -1 ? -1.0 : cosine;
}

// From the sum of terms to the similarity. Larger is nearer: a distance comes with a minus sign.
HOST_DEVICE inline double similarity_of(Similarity similarity, double sum, double x2, double y2) {
  if (similarity == Similarity::dot) return sum;
  if (similarity == Similarity::euclidean) return sum > 0 ? -std::sqrt(sum) : 0.0;
  return cosine_of(sum, x2, y2, std::sqrt(x2), std::sqrt(y2));
}

// Largest distance between a guessed score and the definition's, for a row of length `norm` against rows no
// longer than `longest` (all scaled to at most one). A chain of t roundings of unit u errs by at most
// t u / (1 - t u) of the sum of absolute terms (Higham 2002, section 3.1), which Cauchy and Schwarz bound by
// the lengths. `chain` is the number of roundings behind one guess; 24 more cover scaling, centring, the bias
// and the comparison itself. The definition's own rounding is added, and a little for underflow.
HOST_DEVICE inline double doubt(Similarity similarity, double unit, double chain, double d, double norm,
                                double longest) {
  const double guess = (chain + 24) * unit, sum = (d / LANES + 32) * 0x1p-53;
  if (guess + sum > 0.5) return HUGE_VAL;
  const double relative = guess / (1 - guess) + sum / (1 - sum);
  const double scale = similarity == Similarity::cosine ? 1.0
                       : similarity == Similarity::dot  ? norm * longest
                                                        : (norm + longest) * (norm + longest);
  return relative * scale + 1e-30;
}

// The nearer comes first; equally near, the one with the smaller index. A total order: in which order threads
// or tiles come cannot change who the neighbours are.
HOST_DEVICE inline bool nearer(double value, std::int64_t index, double other_value,
                               std::int64_t other_index) {
  return value > other_value || (value == other_value && index < other_index);
}

// The two half precisions, as bits; both widen to float exactly.
struct Half {
  std::uint16_t bits;
  HOST_DEVICE operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    std::uint32_t wide;
    if (magnitude >= 0x7c00u) wide = magnitude << 13 | 0x7f800000u;  // infinity, NaN
    else if (magnitude >= 0x400u)
      wide = (magnitude << 13) + (112u << 23);  // a normal number: move the exponent's bias
    else return (sign ? -1.0f : 1.0f) * static_cast<float>(magnitude) * 0x1p-24f;
    wide |= sign;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
  }
};

struct Bfloat16 {
  std::uint16_t bits;
  HOST_DEVICE operator float() const {
    const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
  }
};

enum class Type { f16, bf16, f32, f64 };

// An array that belongs to somebody else. Strides count elements and may be zero or negative.
struct View {
  const void* data;
  Type type;
  std::int64_t n, d, row_stride, column_stride;
};

// Calls f with a typed pointer to the view's first element.
template <class F> HOST_DEVICE inline void with_type(const View& view, F&& f) {
  switch (view.type) {
    case Type::f16: return f(static_cast<const Half*>(view.data));
    case Type::bf16: return f(static_cast<const Bfloat16*>(view.data));
    case Type::f32: return f(static_cast<const float*>(view.data));
    case Type::f64: return f(static_cast<const double*>(view.data));
  }
}

}  // namespace consilience
