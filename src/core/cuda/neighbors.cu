// Exact k nearest neighbours on the GPU. Read beside ../neighbors.cpp.
//
// Guesses may be rough here (precision.hpp), so rows of length one are shifted by their mean before they are
// multiplied, as those of a distance are: what rounding costs is then measured by how far rows lie apart, not by how
// far they lie from zero. Rows that are reopened are multiplied in float32, or in float64 if the guess was.
#include "neighbors.hpp"

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

// Both sets as they were given, and what packing them takes.
struct Sets {
  const View &X, &Y;
  bool one_set;
  Similarity similarity;
  cudaStream_t stream;
  Memory<double> shift;   // of all rows, once they are of length one
  Memory<double> X2, Y2;  // sums of squares, as the definition has them
  Memory<double> X_lengths, Y_lengths;
  Scores scores;

  Sets(const View& X, const View* others, Similarity similarity, cudaStream_t stream)
      : X(X),
        Y(others ? *others : X),
        one_set(!others),
        similarity(similarity),
        stream(stream),
        scores{similarity, 1, 0} {
    if (similarity == Similarity::euclidean) shift = means(X, stream);
    X2 = squares(X, shift.data, stream);
    if (!one_set) Y2 = squares(Y, shift.data, stream);
    const std::vector<double> X2_here = X2.all(), Y2_here = one_set ? X2_here : Y2.all();
    const double scale = scale_for(X2_here, Y2_here, similarity);  // refuses what has no direction
    if (similarity != Similarity::cosine) {
      scores.scale = scale;
      return;
    }
    X_lengths = roots(X2_here, stream);
    if (!one_set) Y_lengths = roots(Y2_here, stream);
    shift = means(X, stream, X_lengths.data);
    for (const double along : shift.all()) scores.constant += along * along;
  }

  Judge judge() const { return {X, Y, X2.data, one_set ? X2.data : Y2.data, similarity}; }

  // Calls step(sides) with both sets packed as an arithmetic wants them.
  template <class Arithmetic, class Step> auto packed_for(Step&& step) const {
    const auto A = packed<Arithmetic>(X, X_lengths);
    if (one_set) return step(Sides<Arithmetic>(similarity, A, A));
    const auto B = packed<Arithmetic>(Y, Y_lengths);
    return step(Sides<Arithmetic>(similarity, A, B));
  }

  template <class Arithmetic> auto packed(const View& rows, const Memory<double>& lengths) const {
    const Bias bias = similarity == Similarity::cosine ? Bias::along_shift
                      : similarity == Similarity::dot  ? Bias::none
                                                       : Bias::half_square;
    return pack<Arithmetic>(rows, {lengths.data, shift.data, scores.scale, bias}, stream);
  }
};

// Rows, and who shares their last place.
using Tied = std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>;

// For the tied rows among these, the columns that share the last place.
template <class T>
void note_ties(const std::vector<std::int64_t>& original, const std::vector<char>& tied,
               const ListMemory<T>& lists, std::int64_t k, Tied& found) {
  const std::vector<std::int32_t> counts = lists.counts.all();
  for (std::size_t r = 0; r < tied.size(); r++) {
    if (!tied[r]) continue;
    const auto columns = lists.columns.part(r * lists.room, counts[r]);
    const auto values = lists.values.part(r * lists.room, counts[r]);
    std::vector<double> sorted = values;
    std::nth_element(sorted.begin(), sorted.begin() + k - 1, sorted.end(), std::greater<double>());
    std::vector<std::int64_t> sharers;
    for (std::size_t c = 0; c < columns.size(); c++)
      if (values[c] == sorted[k - 1]) sharers.push_back(columns[c]);
    std::sort(sharers.begin(), sharers.end());
    found.emplace_back(original.empty() ? static_cast<std::int64_t>(r) : original[r], std::move(sharers));
  }
}

// Ties go to `tied`, which is null if nobody asks.
template <class Rough, class Fine>
void search_with(const Sets& sets, const Search<Judge>& search, const Poll& poll, Tied* tied) {
  const auto as_it_is = [](const auto& reducer) { return reducer; };
  const auto note = [&](const auto& original, const auto& here, const auto& lists) {
    if (tied) note_ties(original, here, lists, search.k, *tied);
  };
  const std::vector<std::int64_t> left = sets.packed_for<Rough>(
      [&](const Sides<Rough>& sides) { return guess(search, sides, sets.stream, poll, as_it_is, note); });
  if (left.empty()) return;
  sets.packed_for<Fine>(
      [&](const Sides<Fine>& sides) { reopen_all(search, sides, left, sets.stream, poll, as_it_is, note); });
}

auto searching(Precision precision) {
  switch (precision) {
    case Precision::tf32: return search_with<Tf32, Fma<float>>;
    case Precision::tf32x3: return search_with<Tf32x3, Fma<float>>;
    case Precision::float32: return search_with<Fma<float>, Fma<float>>;
    default: return search_with<Bf16, Fma<float>>;
  }
}

}  // namespace

void neighbors(int device, std::uintptr_t stream, const View& X, const View* others, std::int64_t k,
               Similarity similarity, Precision precision, const Poll& poll, std::int64_t* indices,
               double* similarities, Ties* ties) {
  const OnDevice on(device);
  const Sets sets(X, others, similarity, reinterpret_cast<cudaStream_t>(stream));
  const bool in_double = X.type == Type::f64 || sets.Y.type == Type::f64;
  const auto run =
      in_double ? search_with<Fma<double>, Fma<double>> : searching(choose(precision, Precision::bf16));
  Tied tied;
  run(sets, {k, sets.one_set, sets.judge(), sets.scores, indices, similarities}, poll,
      ties ? &tied : nullptr);
  if (!ties) return;
  std::sort(tied.begin(), tied.end());
  for (const auto& [row, sharers] : tied) ties->add(row, sharers);
}

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

bool tensor_cores(int device) {
  const OnDevice on(device);
  return has_tensor_cores();
}

}  // namespace consilience::cuda
