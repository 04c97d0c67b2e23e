// From a product of two rows to the value of the kernel. Read beside ../kernel_tiles.hpp.
#pragma once
#include "../kernel_sums.hpp"
#include "tiles.cuh"

namespace consilience::cuda {

template <class T>
__device__ inline T evaluate(const Rows<T>& packed, Kernel kernel, T shift, std::int64_t row,
                             std::int64_t column, T product) {
  if (kernel == Kernel::linear || kernel == Kernel::cosine) return product;
  const T h = fmin(product + (packed.bias[column] + packed.bias[row]), T(0));
  return exp2(kernel == Kernel::gaussian ? h : -sqrt(-2 * h)) - shift;
}

}  // namespace consilience::cuda
