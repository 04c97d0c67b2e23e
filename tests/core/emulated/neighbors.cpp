// The CUDA source, compiled for the CPU, behind C functions that ctypes can
// call. See conftest.py.
#define CONSILIENCE_EMULATE
#include "cuda/neighbors.cu"

using namespace consilience;

namespace {
Ties ties;
}

extern "C" int neighbors(const View* X, const View* Y, std::int64_t k, int similarity, int precision,
                         std::int64_t* indices, double* similarities) try {
  ties = Ties();
  cuda::neighbors(
      0, 0, *X, Y, k, static_cast<Similarity>(similarity), static_cast<cuda::Precision>(precision),
      [](double) {}, indices, similarities, &ties);
  return static_cast<int>(ties.columns.size());
} catch (...) { return -1; }

// Three arrays, one after the other: rows, starts, columns. Returns the number
// of rows.
extern "C" int last_ties(std::int64_t* into) {
  for (const auto* part : {&ties.rows, &ties.starts, &ties.columns})
    into = std::copy(part->begin(), part->end(), into);
  return static_cast<int>(ties.rows.size());
}

namespace consilience::cuda {
namespace {

// Keeps every score.
template <class T> struct Record {
  T* scores;
  std::int64_t columns;

  bool matters(std::int64_t, T) const { return true; }
  void meet(std::int64_t row, std::int64_t column, T score) const {
    if (column < columns) scores[row * columns + column] = score;
  }
};

template <class Arithmetic>
void measure_errors(const Sets& sets, const double* similarities, double* errors, double* doubts) {
  using T = ScoreOf<typename Arithmetic::Value>;
  const std::int64_t n = sets.X.n, m = sets.Y.n;
  std::vector<T> scores(n * m, static_cast<T>(NAN));
  sets.packed_for<Arithmetic>([&](const Sides<Arithmetic>& sides) {
    for_tiles<Arithmetic>(sides.A.rows(), sides.B.rows(), false, Record<T>{scores.data(), m}, nullptr,
                          [](double) {});
    for (std::int64_t i = 0; i < n; i++) {
      doubts[i] = sides.doubt.of(i);
      for (std::int64_t j = 0; j < m; j++)
        errors[i * m + j] = scores[i * m + j] - sets.scores.of(similarities[i * m + j], sides.A.bias.data[i]);
    }
  });
}

}  // namespace
}  // namespace consilience::cuda

// How far each guess lies from the similarity that it is a guess of, and how
// far it is said to lie at most.
extern "C" void guess_errors(const View* X, const View* Y, int similarity, int precision,
                             const double* similarities, double* errors, double* doubts) {
  const cuda::Sets sets(*X, Y, static_cast<Similarity>(similarity), nullptr);
  const auto run = precision == 1   ? cuda::measure_errors<cuda::Fma<float>>
                   : precision == 2 ? cuda::measure_errors<cuda::Tf32>
                   : precision == 3 ? cuda::measure_errors<cuda::Tf32x3>
                   : precision == 4 ? cuda::measure_errors<cuda::Bf16>
                                    : cuda::measure_errors<cuda::Fma<double>>;
  run(sets, similarities, errors, doubts);
}

// How often each tile, row by row, is found in the runs of so many tiles.
extern "C" void count_tiles(std::int64_t tiles, int* counts) {
  const cuda::Runs runs(tiles);
  for (std::int64_t run = 0; run < runs.count(); run++)
    for (std::int64_t J = runs.first(run); J < std::min(tiles, runs.first(run) + runs.length); J++)
      if (runs.row(run) <= J && runs.row(run) < tiles) counts[runs.row(run) * tiles + J]++;
}

// Pretends to be a GPU that has tensor cores, or one that has none.
extern "C" void have_tensor_cores(bool yes) { emulate::tensor_cores = yes; }
