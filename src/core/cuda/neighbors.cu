// Exact k nearest neighbours on the GPU: guess, settle, reopen. Read beside ../neighbors.cpp, which explains
// the steps.
//
// Guesses may be rough here (precision.hpp), so two things are finer than on the CPU. Rows of length one are shifted
// by their mean before they are multiplied, as those of a distance are: what rounding costs is then measured by how
// far rows lie apart, not by how far they lie from zero. And a row is certain as soon as its k-th neighbour, by the
// definition, is nearer than any column that its list has missed could be. A row that is not is reopened in float32,
// or in float64 if the guess was.
#include "neighbors.hpp"

#include <cmath>
#include <limits>

#include "best.cuh"
#include "doubt.cuh"
#include "tiles.cuh"

namespace consilience::cuda {

namespace {

constexpr std::int64_t REOPENED_ROOM = 1024;  // columns that a reopened row may have, unless they are more
constexpr std::int64_t REOPENED_ENTRIES = 1 << 25;  // of reopened rows, in memory at once

// One thread a row: how many columns of its list are contested, namely all that may be as near as the k-th best.
template <class T>
__global__ void contest(std::int64_t n, std::int64_t k, Doubt doubt, const double* lengths,
                        const double* gaps, Lists<T> lists) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T* const scores = lists.scores + i * lists.room;
  const double bar = scores[k - 1] - 2 * doubt.of(lengths[i], gaps[i]);
  std::int32_t count = static_cast<std::int32_t>(k);
  while (count < lists.room && scores[count] >= bar) count++;
  lists.counts[i] = count;
}

// One thread a row, after it is settled: could a column that its list has missed be as near as its k-th?
template <class T>
__global__ void certify(std::int64_t n, std::int64_t k, std::int64_t candidates, Doubt doubt, Scores scores,
                        const double* lengths, const double* gaps, const T* bias, const double* similarities,
                        Lists<T> lists, char* open) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const double missed = lists.scores[i * lists.room + lists.room - 1] + doubt.of(lengths[i], gaps[i]);
  open[i] = lists.room < candidates && !(missed < scores.of(similarities[i * k + k - 1], bias[i]));
}

// One warp a row: judge its contested columns by the definition, half a warp a column; then count for each
// how many are nearer, which is its place.
template <class T>
__global__ void settle(std::int64_t rows, const std::int64_t* original, View X, View Y, const double* X2,
                       const double* Y2, Similarity similarity, std::int64_t k, Lists<T> lists,
                       std::int64_t* indices, double* similarities, char* tied) {
  const std::int64_t r = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
  if (r >= rows || lists.counts[r] > lists.room) return;
  const int lane = threadIdx.x % WARP;
  const std::int64_t i = original ? original[r] : r, count = lists.counts[r];
  const std::int32_t* const columns = lists.columns + r * lists.room;
  double* const values = lists.values + r * lists.room;

  for (std::int64_t start = 0; start < count; start += WARP / LANES) {
    const std::int64_t c = start + lane / LANES;
    double sum = 0;
    if (c < count)
      for (std::int64_t t = lane % LANES; t < X.d; t += LANES)
        sum += term(similarity, element(X, i, t), element(Y, columns[c], t));
    sum = sum_of_lanes(sum);
    if (c < count && lane % LANES == 0) values[c] = similarity_of(similarity, sum, X2[i], Y2[columns[c]]);
  }
  __syncwarp();

  for (std::int64_t c = lane; c < count; c += WARP) {
    std::int64_t place = 0;
    for (std::int64_t e = 0; e < count; e++) place += nearer(values[e], columns[e], values[c], columns[c]);
    if (place < k) {
      indices[i * k + place] = columns[c];
      similarities[i * k + place] = values[c];
    }
  }
  __syncwarp();

  // Tied if more are at least as near as the k-th than there are places.
  const double last = similarities[i * k + k - 1];
  std::int64_t as_near = 0;
  for (std::int64_t c = 0; c < count; c++) as_near += values[c] >= last;
  if (lane == 0) tied[r] = as_near > k;
}

// Copies some packed rows, so that the main loop can walk over them, with the bar of each, which all columns exceed
// that are at least as near as the k-th so far.
template <class Value, class T = ScoreOf<Value>>
__global__ void gather(std::int64_t rows, std::int64_t padded, const std::int64_t* original, Rows<Value> from,
                       std::int64_t k, Doubt doubt, Scores scores, const double* lengths, const double* gaps,
                       const double* similarities, Value* values, T* bars) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t r = at / from.d, t = at % from.d;
  if (r >= padded) return;
  values[at] = r < rows ? from.values[original[r] * from.d + t] : Value{};
  if (t != 0 || r >= rows) return;
  const std::int64_t i = original[r];
  bars[r] =
      static_cast<T>(scores.of(similarities[i * k + k - 1], from.bias[i]) - doubt.of(lengths[i], gaps[i]));
}

// Rows, and who shares their last place.
using Tied = std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>;

// For the tied rows among these, the columns that share the last place.
template <class T>
void note_ties(const std::vector<std::int64_t>& original, const std::vector<char>& tied,
               const Lists<T>& lists, std::int64_t k, cudaStream_t stream, Tied& found) {
  const std::vector<std::int32_t> counts = copied(lists.counts, tied.size(), stream);
  for (std::size_t r = 0; r < tied.size(); r++) {
    if (!tied[r]) continue;
    const std::int64_t count = counts[r];
    const std::vector<std::int32_t> columns = copied(lists.columns + r * lists.room, count, stream);
    const std::vector<double> values = copied(lists.values + r * lists.room, count, stream);
    std::vector<double> sorted = values;
    std::nth_element(sorted.begin(), sorted.begin() + k - 1, sorted.end(), std::greater<double>());
    std::vector<std::int64_t> sharers;
    for (std::int64_t c = 0; c < count; c++)
      if (values[c] == sorted[k - 1]) sharers.push_back(columns[c]);
    std::sort(sharers.begin(), sharers.end());
    found.emplace_back(original.empty() ? static_cast<std::int64_t>(r) : original[r], std::move(sharers));
  }
}

// What all steps of one search share.
struct Search {
  const View &X, &Y;
  bool one_set;
  std::int64_t k;
  Similarity similarity;
  cudaStream_t stream;
  const Poll& poll;
  std::int64_t* indices;
  double* similarities;
  Tied* tied;             // null if nobody asks
  Memory<double> shift;   // of all rows, once they are of length one
  Memory<double> X2, Y2;  // sums of squares, as the definition has them
  Memory<double> X_lengths, Y_lengths;
  Scores scores{similarity, 1, 0};

  const double* of_Y() const { return one_set ? X2.data : Y2.data; }
  std::int64_t candidates() const { return Y.n - one_set; }

  void measure() {
    const bool is_cosine = similarity == Similarity::cosine;
    if (similarity == Similarity::euclidean) shift = means(X, stream);
    X2 = squares(X, shift.data, stream);
    if (!one_set) Y2 = squares(Y, shift.data, stream);
    const std::vector<double> X2_here = X2.all(), Y2_here = one_set ? X2_here : Y2.all();
    const double scale = scale_for(X2_here, Y2_here, similarity);  // refuses what has no direction
    if (!is_cosine) {
      scores.scale = scale;
      return;
    }
    X_lengths = Centred::roots(X2_here, stream);
    if (!one_set) Y_lengths = Centred::roots(Y2_here, stream);
    shift = means(X, stream, X_lengths.data);
    for (const double along : shift.all()) scores.constant += along * along;
  }

  template <class Arithmetic> auto packed(const View& rows, const Memory<double>& lengths) const {
    const Bias bias = similarity == Similarity::cosine ? Bias::along_shift
                      : similarity == Similarity::dot  ? Bias::none
                                                       : Bias::half_square;
    return pack<Arithmetic>(rows, {lengths.data, shift.data, scores.scale, bias}, stream);
  }
};

// Both sets as one arithmetic wants them, and how far its guesses may be off.
template <class Arithmetic> struct Sides {
  using Value = typename Arithmetic::Value;
  Packed<Value> X, others;
  Doubt doubt;

  explicit Sides(const Search& search) : X(search.packed<Arithmetic>(search.X, search.X_lengths)) {
    if (!search.one_set) others = search.packed<Arithmetic>(search.Y, search.Y_lengths);
    const Packed<Value>& Y = search.one_set ? X : others;
    const double d = static_cast<double>(X.d), unit = sizeof(ScoreOf<Value>) == 4 ? 0x1p-24 : 0x1p-53;
    const double rounded = Arithmetic::roundings(d) * Arithmetic::UNIT;
    doubt = {search.similarity,
             rounded < 0.5 ? rounded / (1 - rounded) : 1e30,  // Higham 2002, section 3.1
             8 * unit,
             (4 * d + 256) * 0x1p-53,
             largest(Y.lengths),
             largest(Y.gaps),
             std::max(steepest(X), steepest(Y))};
  }
  Rows<Value> columns(const Search& search) const { return search.one_set ? X.rows() : others.rows(); }

  static double largest(const Memory<double>& values) {
    const std::vector<double> here = values.all();
    return *std::max_element(here.begin(), here.end());
  }
  static double steepest(const Packed<Value>& packed) {
    double most = 0;
    for (const double bias : packed.bias.part(0, packed.n)) most = std::max(most, std::abs(bias));
    return most;
  }
};

// The rows whose k nearest are not certain yet; of all others they are settled.
template <class Arithmetic> std::vector<std::int64_t> guess(const Search& search) {
  using Value = typename Arithmetic::Value;
  using T = ScoreOf<Value>;
  const Sides<Arithmetic> sides(search);
  const std::int64_t n = search.X.n, k = search.k, candidates = search.candidates();
  const std::int64_t room = list_length(k, candidates, Arithmetic::SPARE);
  const cudaStream_t stream = search.stream;
  const double *const lengths = sides.X.lengths.data, *const gaps = sides.X.gaps.data;

  // Guess.
  const Memory<std::int32_t> columns(n * room, stream), counts(n, stream);
  const Memory<T> scores(n * room, stream);
  const Memory<double> values(n * room, stream);
  const Lists<T> lists{room, columns.data, scores.data, counts.data, values.data};
  launch(clear<T>, blocks_for(n * room, THREADS), THREADS, stream, n * room, lists);
  for_tiles<Arithmetic>(sides.X.rows(), sides.columns(search), false, Best<T>{lists, search.one_set}, stream,
                        search.poll);

  // Settle.
  const Memory<char> tied(n, stream), open(n, stream);
  launch(contest<T>, blocks_for(n, THREADS), THREADS, stream, n, k, sides.doubt, lengths, gaps, lists);
  launch(settle<T>, blocks_for(n * WARP, THREADS), THREADS, stream, n,
         static_cast<const std::int64_t*>(nullptr), search.X, search.Y, search.X2.data, search.of_Y(),
         search.similarity, k, lists, search.indices, search.similarities, tied.data);
  launch(certify<T>, blocks_for(n, THREADS), THREADS, stream, n, k, candidates, sides.doubt, search.scores,
         lengths, gaps, sides.X.bias.data, search.similarities, lists, open.data);
  wait(stream, search.poll);

  const std::vector<char> open_here = open.all();
  std::vector<char> tied_here = tied.all();
  std::vector<std::int64_t> left;
  for (std::int64_t i = 0; i < n; i++) {
    if (!open_here[i]) continue;
    left.push_back(i);
    tied_here[i] = false;  // not yet known
  }
  if (search.tied) note_ties<T>({}, tied_here, lists, k, stream, *search.tied);
  return left;
}

// Settles these rows. Returns those that hold more contested columns than there was room for.
template <class Arithmetic>
std::vector<std::int64_t> reopen(const Search& search, const Sides<Arithmetic>& sides,
                                 const std::vector<std::int64_t>& rows, std::int64_t room) {
  using Value = typename Arithmetic::Value;
  using T = ScoreOf<Value>;
  const std::int64_t n = static_cast<std::int64_t>(rows.size()), k = search.k;
  const cudaStream_t stream = search.stream;
  const Memory<std::int64_t> original = Memory<std::int64_t>::from(rows, stream);
  const Packed<Value> some(n, search.X.d, stream);
  const Memory<T> bars(n, stream);
  const Memory<std::int32_t> columns(n * room, stream), counts(n, stream);
  const Memory<double> values(n * room, stream);
  const Memory<char> tied(n, stream);
  const Lists<T> lists{room, columns.data, nullptr, counts.data, values.data};
  check(cudaMemsetAsync(counts.data, 0, n * sizeof(std::int32_t), stream));
  check(cudaMemsetAsync(tied.data, 0, n, stream));
  launch(gather<Value>, blocks_for(some.values.count, THREADS), THREADS, stream, n, padded_to(PADDING, n),
         original.data, sides.X.rows(), k, sides.doubt, search.scores, sides.X.lengths.data,
         sides.X.gaps.data, search.similarities, some.values.data, bars.data);
  for_tiles<Arithmetic>(some.rows(), sides.columns(search), true,
                        Within<T>{lists, bars.data, original.data, search.one_set}, stream, search.poll);
  launch(settle<T>, blocks_for(n * WARP, THREADS), THREADS, stream, n, original.data, search.X, search.Y,
         search.X2.data, search.of_Y(), search.similarity, k, lists, search.indices, search.similarities,
         tied.data);
  wait(stream, search.poll);

  if (search.tied) note_ties<T>(rows, tied.all(), lists, k, stream, *search.tied);
  std::vector<std::int64_t> left;
  const std::vector<std::int32_t> count = counts.all();
  for (std::int64_t r = 0; r < n; r++)
    if (count[r] > room) left.push_back(rows[r]);
  return left;
}

template <class Rough, class Fine> void search_with(const Search& search) {
  std::vector<std::int64_t> rows = guess<Rough>(search);
  if (rows.empty()) return;
  const Sides<Fine> sides(search);
  for (const std::int64_t room : {std::min(REOPENED_ROOM, search.Y.n), search.Y.n}) {
    const std::size_t batch = static_cast<std::size_t>(REOPENED_ENTRIES / room + 1);
    std::vector<std::int64_t> left;
    for (std::size_t start = 0; start < rows.size(); start += batch) {
      const std::vector<std::int64_t> some(rows.begin() + start,
                                           rows.begin() + std::min(rows.size(), start + batch));
      for (const std::int64_t i : reopen(search, sides, some, room)) left.push_back(i);
    }
    rows = std::move(left);
  }
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
  const View& Y = others ? *others : X;
  const bool in_double = X.type == Type::f64 || Y.type == Type::f64;
  Tied tied;
  Search search{X,
                Y,
                !others,
                k,
                similarity,
                reinterpret_cast<cudaStream_t>(stream),
                poll,
                indices,
                similarities,
                ties ? &tied : nullptr};
  search.measure();
  (in_double ? search_with<Fma<double>, Fma<double>> : searching(choose(precision, Precision::bf16)))(search);
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
