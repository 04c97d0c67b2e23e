// The same operation as ../kernel_sums.hpp, for arrays in the memory of a GPU. Plain C++, so that ../python
// can use it.
#pragma once
#include <cstdint>

#include "../kernel_sums.hpp"
#include "precision.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; workspace is taken from the device's pool on that
// stream: a packed copy of both inputs, and 64 bytes a row. Where it is not to be in float64, `precision` says how
// rows are multiplied. The sums go to main memory. `poll` is called while waiting.
void kernel_sums(int device, std::uintptr_t stream, const View& X, const View& Y, Kernel kernel,
                 const Spread& spread, bool in_double, Precision precision, const Poll& poll,
                 const KernelSums& sums);

}  // namespace consilience::cuda
