// Relation sums on the GPU. Read beside ../relation_sums.cpp.
#include "relation_sums.hpp"

#include "tiles.cuh"

namespace consilience::cuda {

namespace {

constexpr std::int64_t ROWS_AT_ONCE = 16384;  // between two looks for a Ctrl-C

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

// Keeps: five sums of each row. Memory: 40 bytes a row, and in registers while a block works on it. Order: a
// thread meets its columns in order, four at a time in T, then in float64; sixteen threads share a row.
template <class T> struct Sums {
  Terms<T> terms;
  std::int64_t n;
  double* rows;  // [n][RELATION_SUMS]
  double mine[EACH][RELATION_SUMS];

  __device__ void meet(int i, std::int64_t row, std::int64_t first, const T (&k)[EACH], const T (&l)[EACH]) {
    T sums[RELATION_SUMS] = {};
#pragma unroll
    for (int j = 0; j < EACH; j++) {
      const std::int64_t column = first + GRID * j;
      if (row >= n || column >= n || row == column) continue;
      const T a = k[j] + (terms.u[row] + terms.u[column]);
      const T b = fma(-(terms.e[row] + terms.e[column]), a, l[j] + (terms.p[row] + terms.p[column]));
      const T powers[RELATION_SUMS] = {a * a * a, a * a * (a * a), a * b, a * a * b, b * b};
#pragma unroll
      for (int s = 0; s < RELATION_SUMS; s++) sums[s] += powers[s];
    }
#pragma unroll
    for (int s = 0; s < RELATION_SUMS; s++) mine[i][s] += sums[s];
  }

  __device__ void finish(int i, std::int64_t row) const {
#pragma unroll
    for (int s = 0; s < RELATION_SUMS; s++) {
      const double sum = sum_of_lanes(mine[i][s]);
      if (row < n && threadIdx.x % GRID == 0) rows[row * RELATION_SUMS + s] = sum;
    }
  }
};

template <class T> Packed<T> packed(const View& rows, cudaStream_t stream) {
  return pack<T>(rows, Similarity::dot, nullptr, nullptr, 1.0, stream);
}

template <class T>
void sum_tiles(const View& Z, const View& W, const Terms<double>& terms, cudaStream_t stream,
               const Poll& poll, double* to) {
  const Packed<T> A = packed<T>(Z, stream), B = packed<T>(W, stream);
  const RowTerms<T> of_rows(terms, A.n, stream);
  const Memory<double> rows(A.n * RELATION_SUMS, stream);
  const Sums<T> sums{of_rows.all(), A.n, rows.data, {}};
  for (std::int64_t first = 0; first < A.n; first += ROWS_AT_ONCE) {
    launch(for_tile_pairs<T, Sums<T>>, blocks_for(std::min(ROWS_AT_ONCE, A.n - first), TILE), THREADS, stream,
           A.rows(), B.rows(), first, sums);
    wait(stream, poll, share_done(first + ROWS_AT_ONCE, A.n));
  }
  std::fill(to, to + RELATION_SUMS, 0.0);
  const std::vector<double> here = rows.all();
  for (std::size_t at = 0; at < here.size(); at++) to[at % RELATION_SUMS] += here[at];
}

}  // namespace

void relation_sums(int device, std::uintptr_t stream_number, const View& Z, const View& W,
                   const Terms<double>& terms, bool in_double, const Poll& poll, double* sums) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  (in_double ? sum_tiles<double> : sum_tiles<float>)(Z, W, terms, stream, poll, sums);
}

}  // namespace consilience::cuda
