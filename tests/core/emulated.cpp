// The CUDA sources, compiled for the CPU, behind one C function that ctypes can
// call. See test_cuda_logic.py.
#define CONSILIENCE_EMULATE
#include "cuda/neighbors.cu"

using namespace consilience;

namespace {
Ties ties;
}

extern "C" int neighbors(const View *X, const View *Y, std::int64_t k,
                         int similarity, int precision, std::int64_t *indices,
                         double *similarities) try {
  ties = Ties();
  cuda::neighbors(
      0, 0, *X, Y, k, static_cast<Similarity>(similarity),
      static_cast<cuda::Precision>(precision), [](double) {}, indices,
      similarities, &ties);
  return static_cast<int>(ties.columns.size());
} catch (...) {
  return -1;
}

// Three arrays, one after the other: rows, starts, columns. Returns the number
// of rows.
extern "C" int last_ties(std::int64_t *into) {
  for (const auto *part : {&ties.rows, &ties.starts, &ties.columns})
    into = std::copy(part->begin(), part->end(), into);
  return static_cast<int>(ties.rows.size());
}

// Pretends to be a GPU that has tensor cores, or one that has none.
extern "C" void have_tensor_cores(bool yes) { emulate::tensor_cores = yes; }
