// The same operation as ../neighbors.hpp, for arrays in the memory of a GPU. Plain C++, so that ../python
// can use it.
#pragma once
#include <string>
#include <vector>

#include "../neighbors.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; workspace is taken from the device's pool on that
// stream: the packed copy, and at most 20 bytes for each of a row's k + max(8, k / 2) candidates. `poll` is
// called while waiting.
template <class T>
void neighbors(int device, std::uintptr_t stream, const View& X, const View* Y, std::int64_t k,
               Similarity similarity, const Poll& poll, std::int64_t* indices, double* similarities,
               Ties* ties);

// Names of the GPUs that can be used; none without a driver.
std::vector<std::string> devices();

}  // namespace consilience::cuda
