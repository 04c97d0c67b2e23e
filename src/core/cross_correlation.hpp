// Correlations of every unit with every voxel over time, without the matrix of them: the best partners of
// each series on the other side, and how many of them reach a threshold.
//
// The correlation of two series is by definition the cosine (similarity.hpp) of the centred series, in
// float64. The best partners are those of the definition, and so is every count: entries that rounding could
// have put on the wrong side of a threshold are judged again.
#pragma once
#include <cmath>

#include "best.hpp"

namespace consilience {

// What makes a correlation strong: r, -r or |r|.
enum class Sign { positive, negative, absolute };

HOST_DEVICE inline double strength(Sign sign, double r) {
  return sign == Sign::positive ? r : sign == Sign::negative ? -r : std::fabs(r);
}

// Where the results for the series of one side go.
struct Partners {
  std::int64_t* best;    // [n][k], on the other side, strongest first
  double* correlations;  // [n][k], with their signs
  std::int64_t* counts;  // [n][thresholds], how many reach each
};

// Rows of both views are points in time. k is at most the number of series on either side.
template <class T>
void cross_correlation(const Isa& isa, const View& units, const View& voxels, std::int64_t k, Sign sign,
                       const std::vector<double>& thresholds, const Workers& workers,
                       const Partners& of_units, const Partners& of_voxels);

}  // namespace consilience
