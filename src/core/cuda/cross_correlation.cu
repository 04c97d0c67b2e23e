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

  __device__ std::int64_t terms() const { return series.d; }
  __device__ double term(std::int64_t i, std::int64_t j, std::int64_t t) const {
    return element(series, i, t) * element(others, j, t);
  }
  __device__ double value(double sum, std::int64_t i, std::int64_t j) const {
    return similarity_of(Similarity::cosine, sum, series.squares[i], others.squares[j]);
  }
  __device__ double strength(double r) const { return consilience::strength(sign, r); }
};

// Keeps: how many columns reach each threshold with each row. Memory: 8 bytes a row and threshold. Order:
// whole numbers have none, and a warp owns its row.
template <class T> struct Counts {
  Judge judge;
  std::int64_t thresholds;
  const double* at;
  double off, lowest;    // how far a guess may be off, and the least that may reach a threshold
  std::int64_t* counts;  // [n][thresholds]

  __device__ bool matters(std::int64_t, T score) const { return score > lowest; }

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

  __device__ bool matters(std::int64_t row, T score) const {
    return reducer.matters(row, sign == Sign::absolute ? std::fabs(score) : score);
  }
  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    reducer.meet(row, column, sign == Sign::absolute && column < columns ? std::fabs(score) : score);
  }
};

template <class T> struct BestAndCounts {
  Best<T> best;
  Counts<T> counts;

  __device__ bool matters(std::int64_t row, T score) const {
    return best.matters(row, score) || counts.matters(row, score);
  }
  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    best.meet(row, column, score);
    counts.meet(row, column, score);
  }
};

// The partners of all series of one side.
template <class T>
void partners(const Packed<T>& A, const Packed<T>& B, const Judge& judge, std::int64_t k,
              const std::vector<double>& thresholds, cudaStream_t stream, const Poll& poll,
              const Partners& to) {
  const Sides<Fma<T>> sides(Similarity::cosine, A, B);
  const double off = sides.most_doubt();
  double lowest = INFINITY;
  for (const double at : thresholds) lowest = std::min(lowest, at - off);
  const Memory<double> at = Memory<double>::from(thresholds, stream);
  check(cudaMemsetAsync(to.counts, 0, A.n * at.count * sizeof(std::int64_t), stream));

  const Counts<T> counts{judge, at.count, at.data, off, lowest, to.counts};
  const auto strengthened = [&](const auto& reducer) {
    return Strengthened<T, std::decay_t<decltype(reducer)>>{judge.sign, B.n, reducer};
  };
  const auto no_note = [](const auto&...) {};
  const Search<Judge> search{k, false, judge, {Similarity::cosine, 1, 0}, to.best, to.correlations};
  const std::vector<std::int64_t> left = guess(
      search, sides, stream, poll,
      [&](const Best<T>& best) { return strengthened(BestAndCounts<T>{best, counts}); }, no_note);
  reopen_all(search, sides, left, stream, poll, strengthened, no_note);
}

}  // namespace

template <class T>
void cross_correlation(int device, std::uintptr_t stream_number, const View& units, const View& voxels,
                       std::int64_t k, Sign sign, const std::vector<double>& thresholds, const Poll& poll,
                       const Partners& of_units, const Partners& of_voxels) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const Series rows(voxels, stream), columns(units, stream);
  const auto A = pack<Fma<T>>(rows, sign == Sign::negative ? -1 : 1, stream);
  const auto B = pack<Fma<T>>(columns, 1, stream);
  partners(A, B, {rows.there(), columns.there(), sign}, k, thresholds, stream, poll, of_voxels);
  partners(B, A, {columns.there(), rows.there(), sign}, k, thresholds, stream, poll, of_units);
}

template void cross_correlation<float>(int, std::uintptr_t, const View&, const View&, std::int64_t, Sign,
                                       const std::vector<double>&, const Poll&, const Partners&,
                                       const Partners&);
template void cross_correlation<double>(int, std::uintptr_t, const View&, const View&, std::int64_t, Sign,
                                        const std::vector<double>&, const Poll&, const Partners&,
                                        const Partners&);

}  // namespace consilience::cuda
