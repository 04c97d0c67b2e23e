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

  // For a row of this length, stored with this gap. A sum of products is off by its own roundings, which Cauchy and
  // Schwarz bound by the lengths of what is stored, and by what storing has moved: (x + e)(y + f) - x y. Half the
  // squared distance of two rows that move by e and f moves by less than (e + f) (x + y).
  __device__ double of(double length, double gap) const {
    const double stored = length + gap, reach = longest + farthest;
    const double moved = similarity == Similarity::euclidean ? (gap + farthest) * (stored + reach)
                                                             : gap * longest + stored * farthest;
    const double whole = similarity == Similarity::cosine ? 4.0
                         : similarity == Similarity::dot  ? length * longest
                                                          : (length + longest) * (length + longest);
    return products * stored * reach + moved + rounding * (stored * reach + 2 * steepest) + exact * whole +
           1e-30;
  }
};

// From a similarity to the score of that column in a row: whole = score + the row's bias + constant.
struct Scores {
  Similarity similarity;
  double scale, constant;

  __device__ double of(double similar, double bias) const {
    const double whole = similarity == Similarity::cosine ? similar
                         : similarity == Similarity::dot  ? similar * scale * scale
                                                          : -0.5 * similar * similar * scale * scale;
    return whole - constant - bias;
  }
};

}  // namespace consilience::cuda
