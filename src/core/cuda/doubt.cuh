// Guessed scores and similarities, for rows that are packed as pack.cuh does and multiplied by any arithmetic: how one
// becomes the other, and how far they may lie apart.
#pragma once
#include "../doubt.hpp"
#include "pack.cuh"

namespace consilience::cuda {

// From a similarity to the score of that column in a row: whole = score + the row's bias + constant.
struct Scores {
  Similarity similarity;
  double scale, constant;

  HOST_DEVICE double of(double similar, double bias) const {
    const double whole = similarity == Similarity::cosine ? similar
                         : similarity == Similarity::dot  ? similar * scale * scale
                                                          : -0.5 * similar * similar * scale * scale;
    return whole - constant - bias;
  }
};

// Rows and columns of a matrix as one arithmetic wants them, and how far its guesses may be off.
template <class Arithmetic> struct Sides {
  using Value = typename Arithmetic::Value;
  const Packed<Value>&A, &B;
  Doubt doubt;

  Sides(Similarity similarity, const Packed<Value>& A, const Packed<Value>& B) : A(A), B(B) {
    const double d = static_cast<double>(A.d), unit = sizeof(ScoreOf<Value>) == 4 ? 0x1p-24 : 0x1p-53;
    doubt = {similarity,
             error_of_sum(Arithmetic::roundings(d), Arithmetic::UNIT),
             8 * unit,
             (4 * d + 256) * 0x1p-53,
             largest(B.lengths),
             largest(B.gaps),
             std::max(steepest(A), steepest(B)),
             A.lengths.data,
             A.gaps.data};
  }

  // Of any row.
  double most_doubt() const { return doubt.of(largest(A.lengths), largest(A.gaps)); }

  static double largest(const Memory<double>& values) {
    const std::vector<double> here = values.all();
    return *std::max_element(here.begin(), here.end());
  }
  static double steepest(const Packed<Value>& packed) {
    double most = 0;
    for (const double bias : packed.bias.part(0, packed.n)) most = std::max(most, std::abs(bias));
    return most;
  }
};

}  // namespace consilience::cuda
