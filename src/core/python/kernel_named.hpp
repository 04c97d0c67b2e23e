// Kernels and arithmetics by the names that Python knows them by.
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

inline Arithmetic arithmetic_named(const std::string& name, const Isa& isa) {
  if (name == "3xbf16" && isa.tiles16) return Arithmetic::split;
  if (name == "float32") return Arithmetic::in_float;
  if (name == "float64") return Arithmetic::in_double;
  throw nb::value_error("arithmetic must be 3xbf16 (where the CPU has tiles of it), float32 or float64");
}

}  // namespace consilience
