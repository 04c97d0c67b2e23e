// The same operation as ../neighbors.hpp, for arrays in the memory of a GPU. Plain C++, so that ../python
// can use it.
#pragma once
#include <string>
#include <vector>

#include "../neighbors.hpp"
#include "precision.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; workspace is taken from the device's pool on that
// stream: the packed copy, and at most 20 bytes for each of a row's candidates (list_length). Where X or Y is
// float64, all is, whatever the precision. `poll` is called while waiting.
void neighbors(int device, std::uintptr_t stream, const View& X, const View* Y, std::int64_t k,
               Similarity similarity, Precision precision, const Poll& poll, std::int64_t* indices,
               double* similarities, Ties* ties);

// Names of the GPUs that can be used; none without a driver.
std::vector<std::string> devices();

// Whether a GPU, and this build, have tensor cores.
bool tensor_cores(int device);

}  // namespace consilience::cuda
