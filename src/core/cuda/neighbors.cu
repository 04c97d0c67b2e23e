// Exact k nearest neighbours on the GPU: guess, settle, reopen. Read beside ../neighbors.cpp, which explains
// the steps.
#include "neighbors.hpp"

#include <cmath>
#include <limits>

#include "tiles.cuh"

namespace consilience::cuda {

namespace {

constexpr std::int64_t ROWS_AT_ONCE = 16384;        // guessed between two looks for a Ctrl-C
constexpr std::int64_t REOPENED_ENTRIES = 1 << 24;  // list entries of reopened rows in memory at once

// Each row's columns, and what is known about them.
template <class T> struct Lists {
  std::int64_t room;      // a row's share
  std::int32_t* columns;  // [rows][room]
  T* scores;              // [rows][room], best first (Best)
  std::int32_t* counts;   // [rows], how many are contested
  double* values;         // [rows][room], by the definition (settle)
};

// Keeps: for each row its `room` best columns, sorted. Memory: theirs, in the device's memory, mostly found
// in cache. Order: does not matter to what is settled (see ../neighbors.cpp).
template <class T> struct Best {
  Lists<T> lists;
  bool exclude_self;

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    T* const scores = lists.scores + row * lists.room;
    std::int32_t* const columns = lists.columns + row * lists.room;
    const int lane = threadIdx.x % WARP;
    const bool may_enter = !(exclude_self && row == column);
    unsigned waiting = __ballot_sync(ALL, may_enter && score > scores[lists.room - 1]);
    for (; waiting; waiting &= waiting - 1) {
      const int who = __ffs(waiting) - 1;
      insert(scores, columns, __shfl_sync(ALL, score, who),
             __shfl_sync(ALL, static_cast<std::int32_t>(column), who), lane);
    }
  }

  // The whole warp finds the newcomer's place and moves the worse ones back, 32 at a time from the end.
  __device__ void insert(T* scores, std::int32_t* columns, T score, std::int32_t column, int lane) const {
    const int room = static_cast<int>(lists.room);
    int place = 0;
    for (int start = 0; start < room; start += WARP) {
      const int p = start + lane;
      place += __popc(__ballot_sync(ALL, p < room && scores[p] >= score));
    }
    if (place == room) return;
    for (int end = room - 1; end > place; end -= WARP) {
      const int p = end - lane;
      const bool moves = p > place;
      const T moved_score = moves ? scores[p - 1] : score;
      const std::int32_t moved_column = moves ? columns[p - 1] : column;
      __syncwarp();
      if (moves) {
        scores[p] = moved_score;
        columns[p] = moved_column;
      }
      __syncwarp();
    }
    if (lane == 0) {
      scores[place] = score;
      columns[place] = column;
    }
    __syncwarp();
  }
};

// Keeps: for each reopened row every column whose score exceeds the row's bar. Memory: room for all columns;
// rows come in batches. Order: a warp owns its row and meets the columns in order.
template <class T> struct Within {
  Lists<T> lists;
  const T* bars;
  const std::int64_t* original;  // which row of the set this one was
  bool exclude_self;

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    const int lane = threadIdx.x % WARP;
    const bool enters = score > bars[row] && !(exclude_self && original[row] == column);
    const unsigned entering = __ballot_sync(ALL, enters);
    const std::int32_t before = lists.counts[row];
    if (enters) {
      const std::int64_t p = before + __popc(entering & ((1u << lane) - 1));
      lists.columns[row * lists.room + p] = static_cast<std::int32_t>(column);
    }
    __syncwarp();
    if (lane == 0) lists.counts[row] = before + __popc(entering);
    __syncwarp();
  }
};

template <class T> __global__ void clear(std::int64_t entries, Lists<T> lists) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at < entries) lists.scores[at] = -static_cast<T>(INFINITY);
}

// One thread a row: the bar above which its columns are contested, and whether its list surely holds all of
// those.
template <class T>
__global__ void contest(std::int64_t n, std::int64_t d, std::int64_t k, std::int64_t candidates,
                        Similarity similarity, const double* squares, double scale, double longest,
                        Lists<T> lists, T* bars, char* open) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T* const scores = lists.scores + i * lists.room;
  const double unit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53, length = static_cast<double>(d);
  const double norm = similarity == Similarity::cosine ? 1.0 : std::sqrt(squares[i]) * scale;
  const double bar = scores[k - 1] - 2 * doubt(similarity, unit, length, length, norm, longest);
  bars[i] = static_cast<T>(bar);
  open[i] = lists.room < candidates && scores[lists.room - 1] > bars[i];
  std::int32_t count = 0;
  if (!open[i])
    while (count < lists.room && (count < k || scores[count] > bars[i])) count++;
  lists.counts[i] = count;
}

// One warp a row: judge its contested columns by the definition, half a warp a column; then count for each
// how many are nearer, which is its place.
template <class T>
__global__ void settle(std::int64_t rows, const std::int64_t* original, View X, View Y, const double* X2,
                       const double* Y2, Similarity similarity, std::int64_t k, Lists<T> lists,
                       std::int64_t* indices, double* similarities, char* tied) {
  const std::int64_t r = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
  if (r >= rows || lists.counts[r] == 0) return;
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

// Copies some rows: packed, so that the main loop can walk over them, with their bars.
template <class T>
__global__ void gather(std::int64_t rows, const std::int64_t* original, Rows<T> from, const T* bars,
                       T* values, T* to_bars) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t r = at / from.d, t = at % from.d;
  if (r >= rows) return;
  values[at] = from.values[original[r] * from.d + t];
  if (t == 0) to_bars[r] = bars[original[r]];
}

// For the tied rows among these, the columns that share the last place.
template <class T>
void note_ties(const std::vector<std::int64_t>& original, const std::vector<char>& tied,
               const Memory<std::int32_t>& counts, const Memory<std::int32_t>& columns,
               const Memory<double>& values, std::int64_t room, std::int64_t k,
               std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>& found) {
  const std::vector<std::int32_t> count = counts.all();
  for (std::size_t r = 0; r < tied.size(); r++) {
    if (!tied[r]) continue;
    const auto who = columns.part(r * room, count[r]);
    const auto value = values.part(r * room, count[r]);
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
  const std::int64_t candidates = Y.n - one_set, room = list_length(k, candidates);
  Memory<std::int32_t> list_columns(X.n * room, stream), counts(X.n, stream);
  Memory<T> list_scores(X.n * room, stream), bars(X.n, stream);
  Memory<double> values(X.n * room, stream);
  const Lists<T> lists{room, list_columns.data, list_scores.data, counts.data, values.data};
  launch(clear<T>, blocks_for(X.n * room, 256), 256, stream, X.n * room, lists);
  for (std::int64_t first = 0; first < X.n; first += ROWS_AT_ONCE) {
    launch(for_tiles<T, Best<T>>, blocks_for(std::min(ROWS_AT_ONCE, X.n - first), TILE), THREADS, stream,
           rows, columns, first, Best<T>{lists, one_set});
    wait(stream, poll, share_done(first + ROWS_AT_ONCE, X.n));
  }

  // Settle, and remember the rows whose list may miss a contested column.
  Memory<char> open(X.n, stream), tied(X.n, stream);
  check(cudaMemsetAsync(tied.data, 0, X.n, stream));
  launch(contest<T>, blocks_for(X.n, 256), 256, stream, X.n, X.d, k, candidates, similarity, X2.data, scale,
         longest, lists, bars.data, open.data);
  launch(settle<T>, blocks_for(X.n * WARP, 256), 256, stream, X.n, static_cast<const std::int64_t*>(nullptr),
         X, Y, X2.data, of_Y, similarity, k, lists, indices, similarities, tied.data);
  wait(stream, poll);
  std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>> found;
  if (ties) note_ties<T>({}, tied.all(), counts, list_columns, values, room, k, found);

  // Reopen those rows.
  std::vector<std::int64_t> reopened;
  const std::vector<char> open_here = open.all();
  for (std::int64_t i = 0; i < X.n; i++)
    if (open_here[i]) reopened.push_back(i);
  const std::size_t batch = static_cast<std::size_t>(std::max<std::int64_t>(TILE, REOPENED_ENTRIES / Y.n));
  for (std::size_t start = 0; start < reopened.size(); start += batch) {
    const std::vector<std::int64_t> some(reopened.begin() + start,
                                         reopened.begin() + std::min(reopened.size(), start + batch));
    const std::int64_t n = static_cast<std::int64_t>(some.size());
    const Memory<std::int64_t> original = Memory<std::int64_t>::from(some, stream);
    Memory<T> some_values(n * X.d, stream), some_bars(n, stream);
    Memory<std::int32_t> some_columns(n * Y.n, stream), some_counts(n, stream);
    Memory<double> some_settled(n * Y.n, stream);
    Memory<char> some_tied(n, stream);
    const Lists<T> all{Y.n, some_columns.data, nullptr, some_counts.data, some_settled.data};
    check(cudaMemsetAsync(some_counts.data, 0, n * sizeof(std::int32_t), stream));
    launch(gather<T>, blocks_for(n * X.d, 256), 256, stream, n, original.data, rows, bars.data,
           some_values.data, some_bars.data);
    launch(for_tiles<T, Within<T>>, blocks_for(n, TILE), THREADS, stream,
           Rows<T>{some_values.data, nullptr, n, X.d}, columns, std::int64_t(0),
           Within<T>{all, some_bars.data, original.data, one_set});
    launch(settle<T>, blocks_for(n * WARP, 256), 256, stream, n, original.data, X, Y, X2.data, of_Y,
           similarity, k, all, indices, similarities, some_tied.data);
    wait(stream, poll);
    if (ties) note_ties<T>(some, some_tied.all(), some_counts, some_columns, some_settled, Y.n, k, found);
  }
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
