// All pairs of rows by the definition (similarity.hpp): the condensed upper triangle of a dissimilarity
// matrix.
//
// Nothing is guessed here. An RDM is compared by its ranks, and an entry that depended on the tile it was
// computed in would break ties at random: so each pair's sum has the definition's one order, and equal pairs
// are equal.
#pragma once
#include "tiles.hpp"

namespace consilience {

// One minus the correlation of two rows over their units; one minus their cosine; their distance; its square.
enum class Dissimilarity { correlation, cosine, euclidean, squared_euclidean };

// The first two are cosines, of rows that are centred first or as they are.
HOST_DEVICE inline bool of_cosine(Dissimilarity dissimilarity) {
  return dissimilarity == Dissimilarity::correlation || dissimilarity == Dissimilarity::cosine;
}

// From the sum of terms (products of a cosine, squared gaps of a distance) to the dissimilarity, never
// negative. x2 and y2 are the rows' own sums of squares, with their roots; a distance does not look at them.
HOST_DEVICE inline double dissimilarity_of(Dissimilarity dissimilarity, double sum, double x2, double y2,
                                           double x_root, double y_root) {
  if (of_cosine(dissimilarity)) return 1 - cosine_of(sum, x2, y2, x_root, y_root);
  return dissimilarity == Dissimilarity::euclidean ? std::sqrt(sum) : sum;
}

// The place of the pair (i, j), i < j, among all n (n - 1) / 2: row by row, as SciPy's pdist has it.
HOST_DEVICE inline std::int64_t place_of(std::int64_t i, std::int64_t j, std::int64_t n) {
  return i * (2 * n - i - 1) / 2 + j - i - 1;
}

// `to` has room for n (n - 1) / 2. Throws where a row is not finite, or has no direction though a cosine is
// asked for: Python has refused those in better words.
void dissimilarities(const Isa& isa, const View& X, Dissimilarity dissimilarity, const Workers& workers,
                     double* to);

}  // namespace consilience
