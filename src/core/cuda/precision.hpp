// How a GPU multiplies, where the input is not float64. Plain C++, so that ../python can use it.
#pragma once

namespace consilience::cuda {

// float32 has ordinary fused multiply-adds, on any GPU. The others use tensor cores (sm_80 and newer): tf32
// and bf16 round both operands to 11 and 8 significant bits; tf32x3 multiplies each operand's upper and lower
// half, in three products, almost as exactly as float32 does. automatic: what the operation holds best.
enum class Precision { automatic, float32, tf32, tf32x3, bf16 };

}  // namespace consilience::cuda
