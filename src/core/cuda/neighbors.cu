// Exact k nearest neighbours on the GPU. Read beside ../neighbors.cpp.
#include "neighbors.hpp"

#include <cmath>

#include "best.cuh"

namespace consilience::cuda {

namespace {

// What a pair of rows is worth, by definition.
struct Judge {
  View X, Y;
  const double *X2, *Y2;
  Similarity similarity;

  __device__ std::int64_t terms() const { return X.d; }
  __device__ double term(std::int64_t i, std::int64_t j, std::int64_t t) const {
    return consilience::term(similarity, element(X, i, t), element(Y, j, t));
  }
  __device__ double value(double sum, std::int64_t i, std::int64_t j) const {
    return similarity_of(similarity, sum, X2[i], Y2[j]);
  }
  __device__ double strength(double value) const { return value; }
};

struct Doubt {
  Similarity similarity;
  double unit, d;
  const double* squares;
  double scale, longest;

  __device__ double operator()(std::int64_t i) const {
    const double norm = similarity == Similarity::cosine ? 1.0 : std::sqrt(squares[i]) * scale;
    return doubt(similarity, unit, d, d, norm, longest);
  }
};

// For the tied rows among these, the columns that share the last place.
template <class T>
void note_ties(const std::vector<std::int64_t>& original, const std::vector<char>& tied,
               const ListMemory<T>& lists, std::int64_t k,
               std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>& found) {
  const std::vector<std::int32_t> count = lists.counts.all();
  for (std::size_t r = 0; r < tied.size(); r++) {
    if (!tied[r]) continue;
    const auto who = lists.columns.part(r * lists.room, count[r]);
    const auto value = lists.values.part(r * lists.room, count[r]);
    std::vector<double> sorted = value;
    std::nth_element(sorted.begin(), sorted.begin() + k - 1, sorted.end(), std::greater<double>());
    std::vector<std::int64_t> sharers;
    for (std::size_t c = 0; c < who.size(); c++)
      if (value[c] == sorted[k - 1]) sharers.push_back(who[c]);
    std::sort(sharers.begin(), sharers.end());
    found.emplace_back(original.empty() ? static_cast<std::int64_t>(r) : original[r], std::move(sharers));
  }
}

}  // namespace

template <class T>
void neighbors(int device, std::uintptr_t stream_number, const View& X, const View* others, std::int64_t k,
               Similarity similarity, const Poll& poll, std::int64_t* indices, double* similarities,
               Ties* ties) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const View& Y = others ? *others : X;
  const bool one_set = !others;

  // Pack.
  const Memory<double> shift = similarity == Similarity::euclidean ? means(X, stream) : Memory<double>();
  const Memory<double> X2 = squares(X, shift.data, stream);
  const Memory<double> Y2 = one_set ? Memory<double>() : squares(Y, shift.data, stream);
  const double* const of_Y = one_set ? X2.data : Y2.data;
  const std::vector<double> X2_here = X2.all(), Y2_here = one_set ? X2_here : Y2.all();
  const double scale = scale_for(X2_here, Y2_here, similarity);
  const double longest = similarity == Similarity::cosine
                             ? 1.0
                             : std::sqrt(*std::max_element(Y2_here.begin(), Y2_here.end())) * scale;
  const Packed<T> A = pack<T>(X, similarity, shift.data, X2.data, scale, stream);
  const Packed<T> packed_others =
      one_set ? Packed<T>() : pack<T>(Y, similarity, shift.data, of_Y, scale, stream);
  const Rows<T> rows = A.rows(), columns = one_set ? rows : packed_others.rows();

  // Guess.
  const ListMemory<T> best(X.n, list_length(k, Y.n - one_set), true, stream);
  launch(clear<T>, blocks_for(X.n * best.room, 256), 256, stream, X.n * best.room, best.lists());
  for (std::int64_t first = 0; first < X.n; first += ROWS_AT_ONCE) {
    launch(for_tiles<T, Best<T>>, blocks_for(std::min(ROWS_AT_ONCE, X.n - first), TILE), THREADS, stream,
           rows, columns, first, Best<T>{best.lists(), one_set});
    wait(stream, poll, share_done(first + ROWS_AT_ONCE, X.n));
  }

  // Settle.
  const double unit = std::numeric_limits<T>::epsilon() / 2;
  std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>> found;
  settle(
      rows, columns, k, best, one_set, stream, poll,
      Doubt{similarity, unit, static_cast<double>(X.d), X2.data, scale, longest},
      Judge{X, Y, X2.data, of_Y, similarity}, [](const Within<T>& within) { return within; }, indices,
      similarities,
      [&](const auto& original, const auto& tied, const auto& lists) {
        if (ties) note_ties<T>(original, tied, lists, k, found);
      });
  if (!ties) return;
  std::sort(found.begin(), found.end());
  for (const auto& [row, sharers] : found) ties->add(row, sharers);
}

template void neighbors<float>(int, std::uintptr_t, const View&, const View*, std::int64_t, Similarity,
                               const Poll&, std::int64_t*, double*, Ties*);
template void neighbors<double>(int, std::uintptr_t, const View&, const View*, std::int64_t, Similarity,
                                const Poll&, std::int64_t*, double*, Ties*);

std::vector<std::string> devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) return {};
  std::vector<std::string> names;
  for (int device = 0; device < count; device++) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device));
    names.emplace_back(properties.name);
  }
  return names;
}

}  // namespace consilience::cuda
