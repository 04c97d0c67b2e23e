// The same for cross-correlation. See neighbors.cpp.
#define CONSILIENCE_EMULATE
#include "cuda/cross_correlation.cu"

using namespace consilience;

extern "C" int cross_correlation(const View* units, const View* voxels, std::int64_t k, int sign,
                                 const double* thresholds, std::int64_t m, int in_double,
                                 const Partners* of_units, const Partners* of_voxels) try {
  const auto run = in_double ? cuda::cross_correlation<double> : cuda::cross_correlation<float>;
  run(
      0, 0, *units, *voxels, k, static_cast<Sign>(sign), {thresholds, thresholds + m}, [](double) {},
      *of_units, *of_voxels);
  return 0;
} catch (...) { return -1; }
