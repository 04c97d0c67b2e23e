// The kernels by the names that Python knows them by.
#pragma once
#include "../kernel_sums.hpp"
#include "arrays.hpp"

namespace consilience {

inline Kernel kernel_named(const std::string& name) {
  if (name == "linear") return Kernel::linear;
  if (name == "cosine") return Kernel::cosine;
  if (name == "rbf") return Kernel::gaussian;
  if (name == "laplacian") return Kernel::laplacian;
  throw nb::value_error("kernel must be linear, cosine, rbf or laplacian");
}

}  // namespace consilience
