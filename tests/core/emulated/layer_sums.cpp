// The same for sums of layers. See neighbors.cpp.
#define CONSILIENCE_EMULATE
#include "cuda/layer_sums.cu"

using namespace consilience;

extern "C" int layer_sums(const View* layers, int count, int kernel, const double* spreads, double shift,
                          int in_double, std::int64_t workspace, double* products, double* rows,
                          double* diagonals) try {
  cuda::layer_sums(
      0, 0, {layers, layers + count}, static_cast<Kernel>(kernel), {spreads, spreads + count}, shift,
      in_double, [](double) {}, {products, rows, diagonals}, workspace);
  return 0;
} catch (...) { return -1; }
