// The same for relation sums. See neighbors.cpp.
#define CONSILIENCE_EMULATE
#include "cuda/relation_sums.cu"

using namespace consilience;

extern "C" int relation_sums(const View* Z, const View* W, const double* u, const double* p, const double* e,
                             int in_double, double* sums) try {
  cuda::relation_sums(0, 0, *Z, *W, {u, p, e}, in_double, [](double) {}, sums);
  return 0;
} catch (...) { return -1; }
