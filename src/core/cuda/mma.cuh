// The instructions behind tensor.cuh, one function each. They exist from sm_80 on; older GPUs never get here
// (see has_tensor_cores), but the source must compile for them. On the CPU emulate.hpp has the same functions.
#pragma once
#include "device.cuh"

#ifndef CONSILIENCE_EMULATE
namespace consilience::cuda {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define CONSILIENCE_ASM(...) asm volatile(__VA_ARGS__)
#else
#define CONSILIENCE_ASM(...) __trap()
#endif

__device__ inline unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// clang-format off

// Sends for 16 bytes of the device's memory. They arrive in the block's memory some time before a wait returns.
__device__ inline void copy_async(void* to, const void* from) {
  CONSILIENCE_ASM("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(shared_address(to)), "l"(from) : "memory");
}

// Ends a group of copies; it may be empty.
__device__ inline void end_copies() { CONSILIENCE_ASM("cp.async.commit_group;" ::: "memory"); }

// Waits until all but the LATER latest groups of this thread's copies are here.
template <int LATER> __device__ inline void wait_for_copies() {
  CONSILIENCE_ASM("cp.async.wait_group %0;" :: "n"(LATER) : "memory");
}

// Four blocks of 8 rows of 16 bytes. Lane l has the address of row l % 8 of block l / 8, and gets of each block
// the (l % 4)-th four bytes of row l / 4.
__device__ inline void load_blocks(std::uint32_t (&words)[4], const void* row) {
  CONSILIENCE_ASM("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                  : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                  : "r"(shared_address(row))
                  : "memory");
}

// Adds the products of 16 rows and 8 columns, over 8 units. Of the sums a lane has the columns 2 (l % 4) and the
// next, in the rows l / 4 (sum_0) and l / 4 + 8 (sum_8).
__device__ inline void multiply_add_tf32(float* sum_0, float* sum_8, const std::uint32_t (&a)[4],
                                         std::uint32_t b_0, std::uint32_t b_1) {
  CONSILIENCE_ASM("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                  "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                  : "+f"(sum_0[0]), "+f"(sum_0[1]), "+f"(sum_8[0]), "+f"(sum_8[1])
                  : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_0), "r"(b_1));
}

// The same over 16 units, two in each word.
__device__ inline void multiply_add_bf16(float* sum_0, float* sum_8, const std::uint32_t (&a)[4],
                                         std::uint32_t b_0, std::uint32_t b_1) {
  CONSILIENCE_ASM("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                  "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                  : "+f"(sum_0[0]), "+f"(sum_0[1]), "+f"(sum_8[0]), "+f"(sum_8[1])
                  : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_0), "r"(b_1));
}

// clang-format on

#undef CONSILIENCE_ASM

}  // namespace consilience::cuda
#endif
