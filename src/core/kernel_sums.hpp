// The sums over two kernel matrices that HSIC and CKA are made of, without either matrix.
//
// Both estimators of HSIC are blind to a constant added to a kernel, and to a term that belongs to one row (as
// the mean of the units adds to a product). So both may be taken away first, and what is left is small numbers
// that float32 can hold: centred rows, and kernels less their median. Products along a row of a tile are summed
// in the tile's own precision, everything longer in float64.
#pragma once
#include "tiles.hpp"

namespace consilience {

// Of centred rows x, scaled so that their mean squared length is one: x_i x_j (linear); the same after each row
// was first brought to length one (cosine); exp(-d² / 2 s²) (gaussian), exp(-d / s) (laplacian) at distance d,
// with s in Spread.
enum class Kernel { linear, cosine, gaussian, laplacian };

// What a kernel needs to know beyond the rows: for gaussian and laplacian s, a length, for X and for Y, and
// the constant that is taken from both kernels.
struct Spread {
  double of_X = 0, of_Y = 0, shift = 0;
};

// Where the results go. All sums are over i != j.
struct KernelSums {
  double* products;              // [3], of K L, K K, L L
  double *K_rows, *L_rows;       // [n], sums of each row
  double *K_diagonal, *L_diagonal;  // [n]
};

// float32 is not enough where the root of a rounding error matters (laplacian), nor for rows so far from the
// mean that s is lost in the last digits of their squared length.
inline bool needs_double(Kernel kernel, double longest_in_s) {
  return kernel == Kernel::laplacian || (kernel == Kernel::gaussian && longest_in_s > 8);
}

// Computes in float64 if `in_double`, or if it needs to be.
void kernel_sums(const Isa& isa, const View& X, const View& Y, Kernel kernel, const Spread& spread,
                 bool in_double, const Workers& workers, const KernelSums& sums);

// The median distance between two different rows, by all n (n - 1) / 2 of them, kept in memory.
double median_distance(const Isa& isa, const View& X, const Workers& workers);

}  // namespace consilience
