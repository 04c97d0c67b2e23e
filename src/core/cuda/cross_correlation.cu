// Cross-correlation on the GPU. Read beside ../cross_correlation.cpp. Each side has a pass of its own: that
// costs twice the products, but what a block keeps for its rows needs no lock.
#include "cross_correlation.hpp"

#include "best.cuh"

namespace consilience::cuda {

namespace {

// The correlation of two series, by definition.
struct Judge {
  SeriesThere series, others;
  Sign sign;

  __device__ std::int64_t terms() const { return series.view.d; }
  __device__ double term(std::int64_t i, std::int64_t j, std::int64_t t) const {
    return element(series, i, t) * element(others, j, t);
  }
  __device__ double value(double sum, std::int64_t i, std::int64_t j) const {
    return similarity_of(Similarity::cosine, sum, series.squares[i], others.squares[j]);
  }
  __device__ double strength(double r) const { return consilience::strength(sign, r); }
};

// All guesses are equally good: the series have length one.
struct Doubt {
  double off;
  __device__ double operator()(std::int64_t) const { return off; }
};

// Keeps: how many columns reach each threshold with each row. Memory: 8 bytes a row and threshold. Order:
// whole numbers have none, and a warp owns its row.
template <class T> struct Counts {
  Judge judge;
  std::int64_t thresholds;
  const double* at;
  double off;
  std::int64_t* counts;  // [n][thresholds]

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    for (std::int64_t t = 0; t < thresholds; t++) {
      const bool surely = score > at[t] + off;
      std::int64_t reached = __popc(__ballot_sync(ALL, surely));
      unsigned waiting = __ballot_sync(ALL, !surely && score > at[t] - off);
      for (; waiting; waiting &= waiting - 1) {
        const std::int32_t who = __shfl_sync(ALL, static_cast<std::int32_t>(column), __ffs(waiting) - 1);
        reached += judge.strength(judged(judge, row, who)) >= at[t];
      }
      if (threadIdx.x % WARP == 0) counts[row * thresholds + t] += reached;
    }
  }
};

// Hands scores on as strengths. Those beyond the last column stay at minus infinity.
template <class T, class Reducer> struct Strengthened {
  Sign sign;
  std::int64_t columns;
  Reducer reducer;

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    reducer.meet(row, column, sign == Sign::absolute && column < columns ? std::fabs(score) : score);
  }
};

template <class T> struct BestAndCounts {
  Best<T> best;
  Counts<T> counts;

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    best.meet(row, column, score);
    counts.meet(row, column, score);
  }
};

// The partners of all series of one side.
template <class T>
void partners(const Rows<T>& A, const Rows<T>& B, const Judge& judge, std::int64_t k,
              const Memory<double>& thresholds, cudaStream_t stream, const Poll& poll, const Partners& to) {
  const double unit = std::numeric_limits<T>::epsilon() / 2, d = static_cast<double>(A.d);
  const double off = doubt(Similarity::cosine, unit, d, d, 1, 1);
  const ListMemory<T> best(A.n, list_length(k, B.n), true, stream);
  launch(clear<T>, blocks_for(A.n * best.room, 256), 256, stream, A.n * best.room, best.lists());
  check(cudaMemsetAsync(to.counts, 0, A.n * thresholds.count * sizeof(std::int64_t), stream));

  using Reducer = Strengthened<T, BestAndCounts<T>>;
  const Counts<T> counts{judge, thresholds.count, thresholds.data, off, to.counts};
  const Reducer reducer{judge.sign, B.n, {{best.lists(), false}, counts}};
  for (std::int64_t first = 0; first < A.n; first += ROWS_AT_ONCE) {
    launch(for_tiles<T, Reducer>, blocks_for(std::min(ROWS_AT_ONCE, A.n - first), TILE), THREADS, stream, A,
           B, first, reducer);
    wait(stream, poll, share_done(first + ROWS_AT_ONCE, A.n));
  }

  const auto strengthen = [&](const Within<T>& within) {
    return Strengthened<T, Within<T>>{judge.sign, B.n, within};
  };
  settle(A, B, k, best, false, stream, poll, Doubt{off}, judge, strengthen, to.best, to.correlations,
         [](const auto&...) {});
}

}  // namespace

template <class T>
void cross_correlation(int device, std::uintptr_t stream_number, const View& units, const View& voxels,
                       std::int64_t k, Sign sign, const std::vector<double>& thresholds, const Poll& poll,
                       const Partners& of_units, const Partners& of_voxels) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const Series rows(voxels, stream), columns(units, stream);
  const Packed<T> A = pack<T>(rows, sign == Sign::negative ? -1 : 1, stream);
  const Packed<T> B = pack<T>(columns, 1, stream);
  const Memory<double> there = Memory<double>::from(thresholds, stream);
  partners<T>(A.rows(), B.rows(), {rows.there(), columns.there(), sign}, k, there, stream, poll, of_voxels);
  partners<T>(B.rows(), A.rows(), {columns.there(), rows.there(), sign}, k, there, stream, poll, of_units);
}

template void cross_correlation<float>(int, std::uintptr_t, const View&, const View&, std::int64_t, Sign,
                                       const std::vector<double>&, const Poll&, const Partners&,
                                       const Partners&);
template void cross_correlation<double>(int, std::uintptr_t, const View&, const View&, std::int64_t, Sign,
                                        const std::vector<double>&, const Poll&, const Partners&,
                                        const Partners&);

}  // namespace consilience::cuda
