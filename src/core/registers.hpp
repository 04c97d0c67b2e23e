// Registers of the instruction set that a file is compiled for: ISA = generic, avx2 or avx512, and BYTES = their
// width. The vectors are the compiler's own (GCC and Clang): plain operators on them become the instructions of
// that set.
#pragma once
#include "kernels.hpp"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

namespace consilience {
namespace ISA {

template <class T> struct Vector;
template <> struct Vector<float> {
  typedef int32_t bits __attribute__((vector_size(BYTES)));
  typedef float type __attribute__((vector_size(BYTES)));
  typedef float unaligned __attribute__((vector_size(BYTES), aligned(4), may_alias));
};
template <> struct Vector<double> {
  typedef int64_t bits __attribute__((vector_size(BYTES)));
  typedef double type __attribute__((vector_size(BYTES)));
  typedef double unaligned __attribute__((vector_size(BYTES), aligned(8), may_alias));
};
template <class T> using vector = typename Vector<T>::type;

template <class T> constexpr int WIDTH = BYTES / sizeof(T);     // numbers in a register
template <class T> constexpr int PER_PANEL = PANEL / WIDTH<T>;  // registers in a panel

template <class T> INLINE vector<T> load(const T* p) {
  return *reinterpret_cast<const typename Vector<T>::unaligned*>(p);
}
template <class T> INLINE void store(T* p, vector<T> v) {
  *reinterpret_cast<typename Vector<T>::unaligned*>(p) = v;
}
template <class T> INLINE vector<T> repeat(T x) { return x - vector<T>{}; }

// See Kernels; in multiply.cpp.
template <class T>
void multiply(int row_panels, int column_panels, int64_t d, const T* A, const T* B, T* C, int stride);

}  // namespace ISA
}  // namespace consilience
