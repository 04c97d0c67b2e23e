// The same operation as ../relation_sums.hpp, for rows in the memory of a GPU. Plain C++, so that ../python can
// use it.
#pragma once
#include <cstdint>

#include "../relation_sums.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; workspace is taken from the device's pool on that
// stream: a packed copy of Z and of W, and about 80 bytes a row. The terms come from main memory, and the
// sums go there. `poll` is called while waiting.
void relation_sums(int device, std::uintptr_t stream, const View& Z, const View& W,
                   const Terms<double>& terms, bool in_double, const Poll& poll, double* sums);

}  // namespace consilience::cuda
