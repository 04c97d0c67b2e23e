// The names of precisions, for the doors of those operations that have them.
#pragma once
#include <string>

#include "../cuda/precision.hpp"

namespace consilience {

inline cuda::Precision precision_named(const std::string& name) {
  if (name == "auto") return cuda::Precision::automatic;
  if (name == "float32") return cuda::Precision::float32;
  if (name == "tf32") return cuda::Precision::tf32;
  if (name == "3xtf32") return cuda::Precision::tf32x3;
  if (name == "bf16") return cuda::Precision::bf16;
  throw nb::value_error("precision must be auto, float32, tf32, 3xtf32 or bf16");
}

}  // namespace consilience
