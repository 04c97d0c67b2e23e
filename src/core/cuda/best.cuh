// The k best columns of each row on the GPU: guess, settle, reopen. Read beside ../best.hpp, which explains
// the steps.
//
// Guesses may be rough here (precision.hpp), so one thing is finer than on the CPU: a row is certain as soon as its
// k-th column, by the definition, is stronger than any column that its list has missed could be. Rows that are not
// may be reopened in a finer arithmetic.
#pragma once
#include <cmath>

#include "../best.hpp"
#include "doubt.cuh"
#include "lists.cuh"
#include "tiles.cuh"

namespace consilience::cuda {

constexpr std::int64_t REOPENED_ROOM = 1024;  // columns that a reopened row may have, unless they are more
constexpr std::int64_t REOPENED_ENTRIES = 1 << 25;  // of reopened rows, in memory at once

// What is sought, and where it goes. The judge knows the definition: a pair has a value, and the stronger that is, the
// better the column.
template <class Judge> struct Search {
  std::int64_t k;
  bool exclude_self;
  Judge judge;
  Scores scores;          // from strengths
  std::int64_t* indices;  // [n][k], strongest first
  double* values;         // [n][k]

  // The score that guesses the k-th of a row, as far as it is settled.
  __device__ double last_score(std::int64_t i, double bias) const {
    return scores.of(judge.strength(values[i * k + k - 1]), bias);
  }
};

// One thread a row: how many columns of its list are contested, namely all that may be as strong as the k-th best.
template <class T, class Judge>
__global__ void contest(std::int64_t n, Search<Judge> search, Doubt doubt, Lists<T> lists) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T* const scores = lists.scores + i * lists.room;
  const double bar = scores[search.k - 1] - 2 * doubt.of(i);
  std::int32_t count = static_cast<std::int32_t>(search.k);
  while (count < lists.room && scores[count] >= bar) count++;
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
__global__ void settle(std::int64_t rows, const std::int64_t* original, Search<Judge> search, Lists<T> lists,
                       char* tied) {
  const std::int64_t r = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
  if (r >= rows || lists.counts[r] > lists.room) return;
  const int lane = threadIdx.x % WARP;
  const Judge& judge = search.judge;
  const std::int64_t i = original ? original[r] : r, count = lists.counts[r], k = search.k;
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
      search.indices[i * k + place] = columns[c];
      search.values[i * k + place] = values[c];
    }
  }
  __syncwarp();

  // Tied if more are at least as strong as the k-th than there are places.
  const double last = judge.strength(search.values[i * k + k - 1]);
  std::int64_t as_strong = 0;
  for (std::int64_t c = 0; c < count; c++) as_strong += judge.strength(values[c]) >= last;
  if (lane == 0) tied[r] = as_strong > k;
}

// One thread a row, after it is settled: could a column that its list has missed be as strong as its k-th?
template <class T, class Judge>
__global__ void certify(std::int64_t n, std::int64_t candidates, Search<Judge> search, Doubt doubt,
                        const T* bias, Lists<T> lists, char* open) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const double missed = lists.scores[i * lists.room + lists.room - 1] + doubt.of(i);
  open[i] = lists.room < candidates && !(missed < search.last_score(i, bias[i]));
}

// Copies some packed rows, so that the main loop can walk over them, with the bar of each, which all columns exceed
// that are at least as strong as the k-th so far.
template <class Value, class Judge, class T = ScoreOf<Value>>
__global__ void gather(std::int64_t rows, std::int64_t padded, const std::int64_t* original, Rows<Value> from,
                       Search<Judge> search, Doubt doubt, Value* values, T* bars) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t r = at / from.d, t = at % from.d;
  if (r >= padded) return;
  values[at] = r < rows ? from.values[original[r] * from.d + t] : Value{};
  if (t != 0 || r >= rows) return;
  const std::int64_t i = original[r];
  bars[r] = static_cast<T>(search.last_score(i, from.bias[i]) - doubt.of(i));
}

// Settles all rows by the best of their guesses. Returns those whose k best are not certain yet. prepare(best) is the
// reducer that the rows need; note(original rows or none, tied, lists) may look at those that are settled.
template <class Arithmetic, class Judge, class Prepare, class Note>
std::vector<std::int64_t> guess(const Search<Judge>& search, const Sides<Arithmetic>& sides,
                                cudaStream_t stream, const Poll& poll, Prepare&& prepare, Note&& note) {
  using T = ScoreOf<typename Arithmetic::Value>;
  const std::int64_t n = sides.A.n, candidates = sides.B.n - search.exclude_self;
  const ListMemory<T> memory(n, list_length(search.k, candidates, Arithmetic::SPARE), true, stream);
  const Lists<T> lists = memory.lists();
  launch(clear<T>, blocks_for(n * lists.room, THREADS), THREADS, stream, n * lists.room, lists);
  for_tiles<Arithmetic>(sides.A.rows(), sides.B.rows(), false, prepare(Best<T>{lists, search.exclude_self}),
                        stream, poll);

  const Memory<char> tied(n, stream), open(n, stream);
  launch(contest<T, Judge>, blocks_for(n, THREADS), THREADS, stream, n, search, sides.doubt, lists);
  launch(settle<T, Judge>, blocks_for(n * WARP, THREADS), THREADS, stream, n,
         static_cast<const std::int64_t*>(nullptr), search, lists, tied.data);
  launch(certify<T, Judge>, blocks_for(n, THREADS), THREADS, stream, n, candidates, search, sides.doubt,
         static_cast<const T*>(sides.A.bias.data), lists, open.data);
  wait(stream, poll);

  const std::vector<char> open_here = open.all();
  std::vector<char> tied_here = tied.all();
  std::vector<std::int64_t> left;
  for (std::int64_t i = 0; i < n; i++) {
    if (!open_here[i]) continue;
    left.push_back(i);
    tied_here[i] = false;  // not yet known
  }
  note(std::vector<std::int64_t>(), tied_here, memory);
  return left;
}

// Settles these rows by all columns that are contested. Returns those that have more of them than there was room for.
template <class Arithmetic, class Judge, class Prepare, class Note>
std::vector<std::int64_t> reopen(const Search<Judge>& search, const Sides<Arithmetic>& sides,
                                 const std::vector<std::int64_t>& rows, std::int64_t room,
                                 cudaStream_t stream, const Poll& poll, Prepare&& prepare, Note&& note) {
  using Value = typename Arithmetic::Value;
  using T = ScoreOf<Value>;
  const std::int64_t n = static_cast<std::int64_t>(rows.size());
  const Memory<std::int64_t> original = Memory<std::int64_t>::from(rows, stream);
  const Packed<Value> some(n, sides.A.d, stream);
  const Memory<T> bars(n, stream);
  const Memory<char> tied(n, stream);
  const ListMemory<T> memory(n, room, false, stream);
  const Lists<T> lists = memory.lists();
  check(cudaMemsetAsync(lists.counts, 0, n * sizeof(std::int32_t), stream));
  check(cudaMemsetAsync(tied.data, 0, n, stream));
  launch(gather<Value, Judge>, blocks_for(some.values.count, THREADS), THREADS, stream, n,
         padded_to(PADDING, n), static_cast<const std::int64_t*>(original.data), sides.A.rows(), search,
         sides.doubt, some.values.data, bars.data);
  for_tiles<Arithmetic>(some.rows(), sides.B.rows(), true,
                        prepare(Within<T>{lists, bars.data, original.data, search.exclude_self}), stream,
                        poll);
  launch(settle<T, Judge>, blocks_for(n * WARP, THREADS), THREADS, stream, n,
         static_cast<const std::int64_t*>(original.data), search, lists, tied.data);
  wait(stream, poll);

  note(rows, tied.all(), memory);
  std::vector<std::int64_t> left;
  const std::vector<std::int32_t> counts = memory.counts.all();
  for (std::int64_t r = 0; r < n; r++)
    if (counts[r] > room) left.push_back(rows[r]);
  return left;
}

// Settles the rows that guess has left, a batch at a time: first with some room for each, then with all.
template <class Arithmetic, class Judge, class Prepare, class Note>
void reopen_all(const Search<Judge>& search, const Sides<Arithmetic>& sides, std::vector<std::int64_t> rows,
                cudaStream_t stream, const Poll& poll, Prepare&& prepare, Note&& note) {
  for (const std::int64_t room : {std::min(REOPENED_ROOM, sides.B.n), sides.B.n}) {
    const std::size_t batch = static_cast<std::size_t>(REOPENED_ENTRIES / room + 1);
    std::vector<std::int64_t> left;
    for (std::size_t start = 0; start < rows.size(); start += batch) {
      const std::vector<std::int64_t> some(rows.begin() + start,
                                           rows.begin() + std::min(rows.size(), start + batch));
      for (const std::int64_t i : reopen(search, sides, some, room, stream, poll, prepare, note))
        left.push_back(i);
    }
    rows = std::move(left);
  }
}

}  // namespace consilience::cuda
