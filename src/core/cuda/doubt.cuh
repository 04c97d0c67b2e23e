// Guessed scores and similarities: how one becomes the other, and how far they may lie apart. The counterpart, for
// rows that are packed as pack.cuh does and multiplied by any arithmetic, of `doubt` in ../similarity.hpp.
#pragma once
#include "pack.cuh"

namespace consilience::cuda {

// How far a guessed score may lie from the definition's, all rows scaled as they are packed.
struct Doubt {
  Similarity similarity;
  double products;                     // error of a sum of products, relative to the lengths of the rows
  double rounding;                     // of a few operations on the scores
  double exact;                        // of all that is done in float64, the definition included
  double longest, farthest, steepest;  // of the columns' rows: length, gap; of all rows: bias
  const double *lengths, *gaps;        // of each row

  // For a row of this length, stored with this gap. A sum of products is off by its own roundings, which Cauchy and
  // Schwarz bound by the lengths of what is stored, and by what storing has moved: (x + e)(y + f) - x y. Half the
  // squared distance of two rows that move by e and f moves by less than (e + f) (x + y).
  HOST_DEVICE double of(double length, double gap) const {
    const double stored = length + gap, reach = longest + farthest;
    const double moved = similarity == Similarity::euclidean ? (gap + farthest) * (stored + reach)
                                                             : gap * longest + stored * farthest;
    const double whole = similarity == Similarity::cosine ? 4.0
                         : similarity == Similarity::dot  ? length * longest
                                                          : (length + longest) * (length + longest);
    return products * stored * reach + moved + rounding * (stored * reach + 2 * steepest) + exact * whole +
           1e-30;
  }
  HOST_DEVICE double of(std::int64_t i) const { return of(lengths[i], gaps[i]); }
};

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
    const double rounded = Arithmetic::roundings(d) * Arithmetic::UNIT;
    doubt = {similarity,
             rounded < 0.5 ? rounded / (1 - rounded) : 1e30,  // Higham 2002, section 3.1
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
