// How far a rough guess may lie from the definition: the counterpart of `doubt` (similarity.hpp) where rows were
// rounded before they were multiplied. For the GPU's tensor cores and the CPU's tiles of bfloat16.
#pragma once
#include "similarity.hpp"

namespace consilience {

// All rows scaled as they are packed.
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

// The error of a sum of so many roundings of unit u, relative to the sum of absolute terms (Higham 2002, section
// 3.1).
inline double error_of_sum(double roundings, double unit) {
  const double rounded = roundings * unit;
  return rounded < 0.5 ? rounded / (1 - rounded) : 1e30;
}

}  // namespace consilience
