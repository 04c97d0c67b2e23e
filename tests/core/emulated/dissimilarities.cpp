// The same for dissimilarities. See neighbors.cpp.
#define CONSILIENCE_EMULATE
#include "cuda/dissimilarities.cu"

using namespace consilience;

extern "C" int dissimilarities(const View* X, int dissimilarity, double* to) try {
  cuda::dissimilarities(0, 0, *X, static_cast<Dissimilarity>(dissimilarity), [](double) {}, to);
  return 0;
} catch (...) { return -1; }
