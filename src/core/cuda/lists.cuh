// What a row remembers of the columns that it meets: the reducers of ../best.hpp, for tiles.cuh.
#pragma once
#include "device.cuh"

namespace consilience::cuda {

// Each row's columns, and what is known about them.
template <class T> struct Lists {
  std::int64_t room;      // a row's share
  std::int32_t* columns;  // [rows][room]
  T* scores;              // [rows][room], best first (Best)
  std::int32_t* counts;   // [rows], how many are contested; more than the room: they are not all here
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

  __device__ bool matters(std::int64_t row, T score) const {
    return score > lists.scores[row * lists.room + lists.room - 1];
  }

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    T* const scores = lists.scores + row * lists.room;
    std::int32_t* const columns = lists.columns + row * lists.room;
    const int lane = threadIdx.x % WARP;
    const bool may_enter = !(exclude_self && row == column);
    unsigned waiting = __ballot_sync(ALL, may_enter && matters(row, score));
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

// Keeps: for each reopened row every column whose score exceeds the row's bar. Memory: room for `room` of them; all
// are counted. Order: a set has none, so several blocks may share a row.
template <class T> struct Within {
  Lists<T> lists;
  const T* bars;
  const std::int64_t* original;  // which row of the set this one was
  bool exclude_self;

  __device__ bool matters(std::int64_t row, T score) const { return score > bars[row]; }

  __device__ void meet(std::int64_t row, std::int64_t column, T score) const {
    const int lane = threadIdx.x % WARP;
    const bool enters = matters(row, score) && !(exclude_self && original[row] == column);
    const unsigned entering = __ballot_sync(ALL, enters);
    if (!entering) return;
    std::int32_t before = 0;
    if (lane == 0) before = atomicAdd(lists.counts + row, __popc(entering));
    before = __shfl_sync(ALL, before, 0);
    const std::int64_t p = before + __popc(entering & ((1u << lane) - 1));
    if (enters && p < lists.room) lists.columns[row * lists.room + p] = static_cast<std::int32_t>(column);
  }
};

template <class T> __global__ void clear(std::int64_t entries, Lists<T> lists) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at < entries) lists.scores[at] = -static_cast<T>(INFINITY);
}

}  // namespace consilience::cuda
