// The same operation as ../layer_sums.hpp, for arrays in the memory of a GPU. Plain C++, so that ../python can use
// it.
#pragma once
#include <cstdint>

#include "../layer_sums.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; memory is taken from the device's pool on that stream: a
// packed copy of all layers, and `workspace` bytes for a piece of each kernel. The sums go to main memory. `poll`
// is called while waiting.
void layer_sums(int device, std::uintptr_t stream, const std::vector<View>& layers, Kernel kernel,
                const std::vector<double>& spreads, double shift, bool in_double, const Poll& poll,
                const LayerSums& sums, std::int64_t workspace = std::int64_t(1) << 29);

}  // namespace consilience::cuda
