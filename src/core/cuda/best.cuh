// The k best columns of each row on the GPU: guess, settle, reopen. Read beside ../best.hpp, which explains
// the steps.
#pragma once
#include <cmath>

#include "../best.hpp"
#include "tiles.cuh"

namespace consilience::cuda {

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

// Room for such lists; scores are only needed while the best are sought.
template <class T> struct ListMemory {
  std::int64_t room;
  Memory<std::int32_t> columns, counts;
  Memory<T> scores;
  Memory<double> values;

  ListMemory(std::int64_t rows, std::int64_t room, bool with_scores, cudaStream_t stream)
      : room(room),
        columns(rows * room, stream),
        counts(rows, stream),
        scores(with_scores ? rows * room : 0, stream),
        values(rows * room, stream) {}
  Lists<T> lists() const { return {room, columns.data, scores.data, counts.data, values.data}; }
};

// Keeps: for each row its `room` best columns, sorted. Memory: theirs, in the device's memory, mostly found
// in cache. Order: does not matter to what is settled (see ../best.hpp).
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
template <class T, class Doubt>
__global__ void contest(std::int64_t n, std::int64_t k, std::int64_t candidates, Doubt doubt_of,
                        Lists<T> lists, T* bars, char* open) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T* const scores = lists.scores + i * lists.room;
  bars[i] = static_cast<T>(scores[k - 1] - 2 * doubt_of(i));
  open[i] = lists.room < candidates && scores[lists.room - 1] > bars[i];
  std::int32_t count = 0;
  if (!open[i])
    while (count < lists.room && (count < k || scores[count] > bars[i])) count++;
  lists.counts[i] = count;
}

// The value of a pair by the judge's definition: sixteen neighbouring threads share its terms, all get it.
template <class Judge> __device__ double judged(const Judge& judge, std::int64_t i, std::int64_t j) {
  double lane = 0;
  for (std::int64_t t = threadIdx.x % LANES; t < judge.terms(); t += LANES) lane += judge.term(i, j, t);
  return judge.value(sum_of_lanes(lane), i, j);
}

// One warp a row: judge its contested columns, half a warp a column; then count for each how many are
// stronger, which is its place.
template <class T, class Judge>
__global__ void settle(std::int64_t rows, const std::int64_t* original, Judge judge, std::int64_t k,
                       Lists<T> lists, std::int64_t* indices, double* found, char* tied) {
  const std::int64_t r = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
  if (r >= rows || lists.counts[r] == 0) return;
  const int lane = threadIdx.x % WARP;
  const std::int64_t i = original ? original[r] : r, count = lists.counts[r];
  const std::int32_t* const columns = lists.columns + r * lists.room;
  double* const values = lists.values + r * lists.room;

  for (std::int64_t start = 0; start < count; start += WARP / LANES) {
    const std::int64_t c = start + lane / LANES;
    const double value = judged(judge, i, columns[c < count ? c : start]);
    if (c < count && lane % LANES == 0) values[c] = value;
  }
  __syncwarp();

  for (std::int64_t c = lane; c < count; c += WARP) {
    std::int64_t place = 0;
    for (std::int64_t e = 0; e < count; e++)
      place += nearer(judge.strength(values[e]), columns[e], judge.strength(values[c]), columns[c]);
    if (place < k) {
      indices[i * k + place] = columns[c];
      found[i * k + place] = values[c];
    }
  }
  __syncwarp();

  // Tied if more are at least as strong as the k-th than there are places.
  const double last = judge.strength(found[i * k + k - 1]);
  std::int64_t as_strong = 0;
  for (std::int64_t c = 0; c < count; c++) as_strong += judge.strength(values[c]) >= last;
  if (lane == 0) tied[r] = as_strong > k;
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

// Settles all rows that have met all columns, and reopens some. `judge` knows the definition, doubt_of(i) how
// far a guess in row i can be from it; prepare(within) is the reducer that reopened rows need, where scores
// were changed on their way to Best. After each part, note(original rows or none, tied, lists) may look.
template <class T, class Doubt, class Judge, class Prepare, class Note>
void settle(const Rows<T>& A, const Rows<T>& B, std::int64_t k, const ListMemory<T>& best, bool exclude_self,
            cudaStream_t stream, const Poll& poll, const Doubt& doubt_of, const Judge& judge,
            Prepare&& prepare, std::int64_t* indices, double* found, Note&& note) {
  Memory<T> bars(A.n, stream);
  Memory<char> open(A.n, stream), tied(A.n, stream);
  check(cudaMemsetAsync(tied.data, 0, A.n, stream));
  launch(contest<T, Doubt>, blocks_for(A.n, 256), 256, stream, A.n, k, B.n - exclude_self, doubt_of,
         best.lists(), bars.data, open.data);
  launch(settle<T, Judge>, blocks_for(A.n * WARP, 256), 256, stream, A.n,
         static_cast<const std::int64_t*>(nullptr), judge, k, best.lists(), indices, found, tied.data);
  wait(stream, poll);
  note(std::vector<std::int64_t>(), tied.all(), best);

  std::vector<std::int64_t> reopened;
  const std::vector<char> open_here = open.all();
  for (std::int64_t i = 0; i < A.n; i++)
    if (open_here[i]) reopened.push_back(i);
  const std::size_t batch = static_cast<std::size_t>(std::max<std::int64_t>(TILE, REOPENED_ENTRIES / B.n));
  for (std::size_t start = 0; start < reopened.size(); start += batch) {
    const std::vector<std::int64_t> some(reopened.begin() + start,
                                         reopened.begin() + std::min(reopened.size(), start + batch));
    const std::int64_t n = static_cast<std::int64_t>(some.size());
    const Memory<std::int64_t> original = Memory<std::int64_t>::from(some, stream);
    Memory<T> some_values(n * A.d, stream), some_bars(n, stream);
    Memory<char> some_tied(n, stream);
    const ListMemory<T> all(n, B.n, false, stream);
    check(cudaMemsetAsync(all.counts.data, 0, n * sizeof(std::int32_t), stream));
    launch(gather<T>, blocks_for(n * A.d, 256), 256, stream, n, original.data, A, bars.data, some_values.data,
           some_bars.data);
    const auto reducer = prepare(Within<T>{all.lists(), some_bars.data, original.data, exclude_self});
    launch(for_tiles<T, std::decay_t<decltype(reducer)>>, blocks_for(n, TILE), THREADS, stream,
           Rows<T>{some_values.data, nullptr, n, A.d}, B, std::int64_t(0), reducer);
    launch(settle<T, Judge>, blocks_for(n * WARP, 256), 256, stream, n, original.data, judge, k, all.lists(),
           indices, found, some_tied.data);
    wait(stream, poll);
    note(some, some_tied.all(), all);
  }
}

}  // namespace consilience::cuda
