// One tile of a kernel matrix: from products of rows to its values, and to the sums of its rows. Read beside
// ../kernel_tiles.hpp.
#pragma once
#include "../kernel_sums.hpp"
#include "tiles.cuh"

namespace consilience::cuda {

template <class Value, class T = ScoreOf<Value>>
__device__ inline T evaluate(const Rows<Value>& packed, Kernel kernel, T shift, std::int64_t row,
                             std::int64_t column, T product) {
  if (!of_distance(kernel)) return product;
  const T h = fmin(product + (packed.bias[column] + packed.bias[row]), T(0));
  return exp2(kernel == Kernel::gaussian ? h : -sqrt(-2 * h)) - shift;
}

// Whole numbers in place of fractions, so that threads may add them in any order.
struct Fixed {
  unsigned long long* sums;  // as signed numbers, which overflow in the same way
  double unit;

  __device__ void add(std::int64_t i, double x) const {
    atomicAdd(sums + i, static_cast<unsigned long long>(static_cast<long long>(rint(x * unit))));
  }
};

}  // namespace consilience::cuda
