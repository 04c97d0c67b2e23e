// The same operation as ../dissimilarities.hpp, for arrays in the memory of a GPU. Plain C++, so that
// ../python can use it.
#pragma once
#include <cstdint>

#include "../dissimilarities.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; workspace is taken from the device's pool on that
// stream: a copy of X in float64. `to` lies on the device. `poll` is called while waiting.
void dissimilarities(int device, std::uintptr_t stream, const View& X, Dissimilarity dissimilarity,
                     const Poll& poll, double* to);

}  // namespace consilience::cuda
