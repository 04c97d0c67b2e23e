// Relation sums on the GPU. Read beside ../relation_sums.cpp.
#include "relation_sums.hpp"

#include "tiles.cuh"

namespace consilience::cuda {

namespace {

// The terms of all rows as T, in the device's memory.
template <class T> struct RowTerms {
  Memory<T> u, p, e;

  RowTerms(const Terms<double>& terms, std::int64_t n, cudaStream_t stream)
      : u(there(terms.u, n, stream)), p(there(terms.p, n, stream)), e(there(terms.e, n, stream)) {}

  static Memory<T> there(const double* values, std::int64_t n, cudaStream_t stream) {
    return Memory<T>::from(std::vector<T>(values, values + n), stream);
  }
  Terms<T> all() const { return {u.data, p.data, e.data}; }
};

// Keeps: five sums. Memory and order: those of Totals.
template <class T> struct Sums : Totals<RELATION_SUMS> {
  Terms<T> terms;
  std::int64_t n;

  template <class Tile>
  __device__ void meet(std::int64_t first_row, std::int64_t first_column,
                       const T (&k)[Tile::ROWS][Tile::COLUMNS], const T (&l)[Tile::ROWS][Tile::COLUMNS]) {
    const bool mirrored = first_column > first_row;
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++) {
      const std::int64_t row = first_row + Tile::row(Tile::slot(), r);
      T sums[RELATION_SUMS] = {};
#pragma unroll
      for (int c = 0; c < Tile::COLUMNS; c++) {
        const std::int64_t column = first_column + Tile::column(c);
        if (row >= n || column >= n || row == column) continue;
        const T a = k[r][c] + (terms.u[row] + terms.u[column]);
        const T b = fma(-(terms.e[row] + terms.e[column]), a, l[r][c] + (terms.p[row] + terms.p[column]));
        const T powers[RELATION_SUMS] = {a * a * a, a * a * (a * a), a * b, a * a * b, b * b};
#pragma unroll
        for (int s = 0; s < RELATION_SUMS; s++) sums[s] += powers[s];
      }
#pragma unroll
      for (int s = 0; s < RELATION_SUMS; s++) mine[s] += mirrored ? 2.0 * sums[s] : sums[s];
    }
  }
};

template <class T>
void sum_tiles(const View& Z, const View& W, const Terms<double>& terms, cudaStream_t stream,
               const Poll& poll, double* to) {
  const Frame as_they_are{nullptr, nullptr, 1.0, Bias::none};
  const Packed<T> A = pack<Fma<T>>(Z, as_they_are, stream), B = pack<Fma<T>>(W, as_they_are, stream);
  const RowTerms<T> of_rows(terms, A.n, stream);
  const Runs runs(blocks_for(A.n, Fma<T>::HEIGHT));
  const Memory<double> totals(runs.count() * RELATION_SUMS, stream);
  const Sums<T> sums{{totals.data, {}}, of_rows.all(), A.n};
  for_tile_pairs<Fma<T>>(A.rows(), B.rows(), runs, sums, stream, poll);
  std::fill(to, to + RELATION_SUMS, 0.0);
  const std::vector<double> of_runs = totals.all();
  for (std::size_t at = 0; at < of_runs.size(); at++) to[at % RELATION_SUMS] += of_runs[at];
}

}  // namespace

void relation_sums(int device, std::uintptr_t stream_number, const View& Z, const View& W,
                   const Terms<double>& terms, bool in_double, const Poll& poll, double* sums) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  (in_double ? sum_tiles<double> : sum_tiles<float>)(Z, W, terms, stream, poll, sums);
}

}  // namespace consilience::cuda
