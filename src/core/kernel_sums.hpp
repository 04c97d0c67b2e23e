// The sums over two kernel matrices that HSIC and CKA are made of, without either matrix.
//
// Both estimators of HSIC are blind to a constant added to a kernel, and to a term that belongs to one row
// (as the mean of the units adds to a product). So both may be taken away first, and what is left is small
// numbers that float32 can hold: centred rows, and kernels less their median. Products along a row of a tile
// are summed in the tile's own precision, everything longer in float64.
#pragma once
#include <stdexcept>

#include "tiles.hpp"

namespace consilience {

// Of centred rows x, scaled so that their mean squared length is one: x_i x_j (linear); the same after each
// row was first brought to length one (cosine). At distance d, with s in Spread: exp(-d² / 2 s²) (gaussian),
// exp(-d / s) (laplacian).
enum class Kernel { linear, cosine, gaussian, laplacian };

// What a kernel needs to know beyond the rows: for gaussian and laplacian s, a length, for X and for Y, and
// the constant that is taken from both kernels.
struct Spread {
  double of_X = 0, of_Y = 0, shift = 0;
};

// Where the results go. All sums are over i != j.
struct KernelSums {
  double* products;                 // [3], of K L, K K, L L
  double *K_rows, *L_rows;          // [n], sums of each row
  double *K_diagonal, *L_diagonal;  // [n]
};

HOST_DEVICE inline bool of_distance(Kernel kernel) {
  return kernel == Kernel::gaussian || kernel == Kernel::laplacian;
}

// How rows are multiplied: as sums of two bfloat16 (split.hpp), as float32, or as float64.
enum class Arithmetic { split, in_float, in_double };

// float32 is not enough where the root of a rounding error matters (laplacian), nor for rows so far from the
// mean that s is lost in the last digits of their squared length.
inline bool needs_double(Kernel kernel, double longest_in_s) {
  return kernel == Kernel::laplacian || (kernel == Kernel::gaussian && longest_in_s > 8);
}

// With a hundredth of its digits that comes sooner.
inline Arithmetic enough(Arithmetic asked, Kernel kernel, double longest_in_s) {
  if (needs_double(kernel, longest_in_s)) return Arithmetic::in_double;
  return std::max(asked, kernel == Kernel::gaussian && longest_in_s > 3 ? Arithmetic::in_float : asked);
}

// What centred rows are multiplied with: to a mean squared length of one, or so that the kernel is
// 2^(-d² / 2) or 2^-d of their distances.
inline double scale_for(Kernel kernel, double mean_square, double s) {
  constexpr double LOG2E = 1.44269504088896340736;
  if (kernel == Kernel::gaussian) return std::sqrt(LOG2E) / s;
  if (kernel == Kernel::laplacian) return LOG2E / s;
  if (kernel == Kernel::cosine && mean_square < 1e-28)  // no more than rounding makes of equal unit rows
    throw std::invalid_argument("all rows have the same direction, so no cosine differs from another");
  return 1 / std::sqrt(mean_square);
}

// Writes the diagonals, and the row sums that need no summing: whole rows of a centred product add up to
// zero. `squares` are the squared lengths of the centred rows before they are scaled.
inline void write_known(Kernel kernel, double shift, const std::vector<double>& squares, double scale,
                        double* diagonal, double* rows) {
  for (std::size_t i = 0; i < squares.size(); i++) {
    diagonal[i] = of_distance(kernel) ? 1 - shift : squares[i] * scale * scale;
    rows[i] = -diagonal[i];
  }
}

// Computes with more digits than `arithmetic` has where it needs to.
void kernel_sums(const Isa& isa, const View& X, const View& Y, Kernel kernel, const Spread& spread,
                 Arithmetic arithmetic, const Workers& workers, const KernelSums& sums);

// The median distance between two different rows, by all n (n - 1) / 2 of them, kept in memory. Float32 guesses
// which pairs are near the median, and the definition (similarity.hpp) settles it among them.
double median_distance(const Isa& isa, const View& X, const Workers& workers);

}  // namespace consilience
