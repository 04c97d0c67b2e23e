// The same for kernel sums. See neighbors.cpp.
#define CONSILIENCE_EMULATE
#include "cuda/kernel_sums.cu"

using namespace consilience;

extern "C" int kernel_sums(const View* X, const View* Y, int kernel, const double* spread, int in_double,
                           int precision, double* products, double* K_rows, double* L_rows,
                           double* K_diagonal, double* L_diagonal) try {
  cuda::kernel_sums(0, 0, *X, *Y, static_cast<Kernel>(kernel), {spread[0], spread[1], spread[2]}, in_double,
                    static_cast<cuda::Precision>(precision), [](double) {},
                    {products, K_rows, L_rows, K_diagonal, L_diagonal});
  return 0;
} catch (...) { return -1; }
