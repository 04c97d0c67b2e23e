// The same operation as ../cross_correlation.hpp, for arrays in the memory of a GPU. Plain C++, so that
// ../python can use it.
#pragma once
#include <cstdint>
#include <vector>

#include "../cross_correlation.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream, where the results lie too; workspace is taken from
// the device's pool on that stream: a packed copy of both inputs, and at most 20 bytes for each of a series'
// candidates (list_length). `poll` is called while waiting.
template <class T>
void cross_correlation(int device, std::uintptr_t stream, const View& units, const View& voxels,
                       std::int64_t k, Sign sign, const std::vector<double>& thresholds, const Poll& poll,
                       const Partners& of_units, const Partners& of_voxels);

}  // namespace consilience::cuda
