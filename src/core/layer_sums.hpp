// The sums of kernel_sums.hpp for many layers, each with each.
//
// The tiles of all layers' kernels at one place are computed side by side, once, and then multiplied two by two.
// Of 24 layers with 768 units all pairs cost a sixtieth of what the 24 kernels cost.
#pragma once
#include "kernel_sums.hpp"

namespace consilience {

// Where the results go. All sums are over i != j.
struct LayerSums {
  double* products;   // [layers][layers], of K_a K_b
  double* rows;       // [layers][n], sums of each row
  double* diagonals;  // [layers][n]
};

// `spreads` are each layer's s (see Spread), `shift` is taken from all kernels. Computes with more digits than
// `arithmetic` has where one of the layers needs it.
void layer_sums(const Isa& isa, const std::vector<View>& layers, Kernel kernel,
                const std::vector<double>& spreads, double shift, Arithmetic arithmetic,
                const Workers& workers, const LayerSums& sums);

}  // namespace consilience
