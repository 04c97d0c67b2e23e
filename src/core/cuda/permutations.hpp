// The same operation as ../permutations.hpp, for dense relations in the memory of a GPU. Plain C++, so that
// ../python can use it.
#pragma once
#include <cstdint>

#include "../permutations.hpp"

namespace consilience::cuda {

// Everything happens on the caller's device and stream; workspace is taken from the device's pool on that
// stream: the orders and products of some draws at a time. The products go to main memory. `poll` is called
// while waiting.
template <class T>
void permuted_products(int device, std::uintptr_t stream, const std::vector<const T*>& a,
                       const std::vector<const T*>& b, const Orders& orders, const Poll& poll,
                       SumOf<T>* products);

}  // namespace consilience::cuda
