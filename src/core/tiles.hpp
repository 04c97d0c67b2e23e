// The main loop of every operation: tiles of a similarity matrix, computed and handed to a reducer at once.
//
// A reducer is any callable reducer(const Tile<T>&, const Kernels<T>&). It sees each pair of rows once, keeps
// the little that it needs, and must not care about the order: tiles come from several threads in whatever
// order they finish. The matrix itself never exists; a thread owns one tile of it at a time.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "pack.hpp"

namespace consilience {

// Runs f(item) for all items on several threads, which live for this call only: starting one costs some ten
// microseconds, and unlike a standing pool (or OpenMP) it survives a fork. The first exception, from any
// thread or from the poll (Ctrl-C), stops the others and is thrown here.
template <class F> void parallel(const Workers& workers, std::int64_t items, F&& f) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr thrown;
  const auto work = [&](bool polls) {
    auto polled = std::chrono::steady_clock::now();
    try {
      for (std::int64_t item; !stop && (item = next++) < items;) {
        f(item);
        if (polls && std::chrono::steady_clock::now() - polled > std::chrono::milliseconds(50)) {
          workers.poll();
          polled = std::chrono::steady_clock::now();
        }
      }
    } catch (...) {
      if (!stop.exchange(true)) thrown = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  try {
    for (std::int64_t t = 1; t < std::min<std::int64_t>(workers.threads, items); t++)
      others.emplace_back(work, false);
  } catch (const std::system_error&) {
    // No more threads to be had: those that started, and this one, do all the work.
  }
  work(true);
  for (auto& other : others) other.join();
  if (thrown) std::rethrow_exception(thrown);
}

template <class T> struct Tile {
  std::int64_t row, column;  // of its first entry
  int rows, columns;
  const T* scores;  // row by row, `stride` apart, readable up to whole panels
  int stride;
  bool mirrored;  // it also stands for its transpose, which will not come
};

// All tiles of A B'. With symmetric = true, A and B are the same set and only tiles on and above the diagonal
// are computed: half the work.
template <class T, class Reducer>
void for_tiles(const Isa& isa, const Packed<T>& A, const Packed<T>& B, bool symmetric, const Workers& workers,
               Reducer& reducer) {
  const Kernels<T>& kernels = isa.kernels(T());
  // Tiles in one item of work: the rows of A stay in cache for all of them, yet an item ends soon enough for
  // a Ctrl-C.
  const std::int64_t run = std::clamp<std::int64_t>(16384 / A.d, 1, 8);
  const std::int64_t edge = kernels.tile;
  const std::int64_t down = (A.n + edge - 1) / edge, across = (B.n + edge - 1) / edge,
                     runs = (across + run - 1) / run;

  parallel(workers, down * runs, [&](std::int64_t item) {
    const std::int64_t I = item / runs, first = item % runs * run;
    const Buffer<T> scores(edge * edge);
    for (std::int64_t J = symmetric ? std::max(first, I) : first; J < std::min(first + run, across); J++) {
      Tile<T> tile{I * edge,
                   J * edge,
                   static_cast<int>(std::min(edge, A.n - I * edge)),
                   static_cast<int>(std::min(edge, B.n - J * edge)),
                   scores.get(),
                   static_cast<int>(edge),
                   symmetric && J > I};
      kernels.multiply((tile.rows + PANEL - 1) / PANEL, (tile.columns + PANEL - 1) / PANEL, A.d,
                       A.panel(tile.row), B.panel(tile.column), scores.get(), tile.stride);
      reducer(tile, kernels);
    }
  });
}

}  // namespace consilience
