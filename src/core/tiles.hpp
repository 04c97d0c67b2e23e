// The main loop of every operation: tiles of a similarity matrix, computed and handed to a reducer at once.
//
// A reducer is any callable reducer(const Tile<T>&, const Kernels<T>&). It sees each pair of rows once, keeps
// the little that it needs, and must not care about the order: tiles come from several threads in whatever
// order they finish. The matrix itself never exists; a thread owns one tile of it at a time.
#pragma once
#include <algorithm>

#include "pack.hpp"

namespace consilience {

template <class T> struct Tile {
  std::int64_t row, column;  // of its first entry
  int rows, columns;
  T* scores;  // row by row, `stride` apart, readable up to whole panels; the reducer's to overwrite
  int stride;
  bool mirrored;  // it also stands for its transpose, which will not come

  T* line(int r) const { return scores + r * stride; }
};

// How a matrix is cut: into tiles, and rows of tiles into runs, which are the items of work. The rows of A
// stay in cache for a whole run, yet it ends soon enough for a Ctrl-C. Nothing here depends on the machine.
struct Runs {
  std::int64_t edge, down, across, length, in_a_row;

  Runs(std::int64_t rows, std::int64_t columns, std::int64_t d, std::int64_t edge)
      : edge(edge),
        down((rows + edge - 1) / edge),
        across((columns + edge - 1) / edge),
        length(std::clamp<std::int64_t>(131072 / d, 1, 8)),
        in_a_row((across + length - 1) / length) {}

  std::int64_t count() const { return down * in_a_row; }
  std::int64_t row(std::int64_t run) const { return run / in_a_row; }

  // Calls f(I, J) for the tiles of one run, those below the diagonal left out if it is symmetric.
  template <class F> void for_tiles(std::int64_t run, bool symmetric, F&& f) const {
    for_some(run, symmetric, 1, [&](std::int64_t I, std::int64_t J, std::int64_t) { f(I, J); });
  }

  // The same, a few tiles side by side at a time: f(I, first, last) for those from `first` to before `last`.
  template <class F> void for_some(std::int64_t run, bool symmetric, std::int64_t count, F&& f) const {
    const std::int64_t I = row(run), begin = run % in_a_row * length, end = std::min(begin + length, across);
    for (std::int64_t J = symmetric ? std::max(begin, I) : begin; J < end; J += count)
      f(I, J, std::min(J + count, end));
  }
};

// Of rows as they are packed; Rounded and Split rows have their own (rounded.hpp, split.hpp). `left_of` is what a
// row of tiles has on its left: here the rows themselves; else it is made in the room for it. It meets `at_once` tiles
// before another set has its turn.
template <class T> std::int64_t edge_of(const Isa& isa, const Packed<T>&) { return isa.kernels(T()).tile; }
template <class T> std::int64_t at_once(const Packed<T>&) { return 1; }
template <class T> std::int64_t room_for_left(const Isa&, const Packed<T>&) { return 0; }
template <class T>
const Packed<T>& left_of(const Isa&, const Packed<T>& A, std::int64_t, const Buffer<std::uint16_t>&) {
  return A;
}
template <class T>
void multiply(const Isa& isa, const Packed<T>& A, const Packed<T>& B, const Tile<T>& tile) {
  isa.kernels(T()).multiply((tile.rows + PANEL - 1) / PANEL, (tile.columns + PANEL - 1) / PANEL, A.d,
                            A.panel(tile.row), B.panel(tile.column), tile.scores, tile.stride);
}

// Tiles16 multiplies panels two by two.
inline std::int64_t even_panels(std::int64_t rows) { return (rows + 2 * PANEL - 1) / (2 * PANEL) * 2; }

template <class Left, class Rows, class T = typename Rows::Score>
Tile<T> multiplied(const Isa& isa, const Left& A, const Rows& B, std::int64_t I, std::int64_t J,
                   bool mirrored, T* scores) {
  const std::int64_t edge = edge_of(isa, B);
  const Tile<T> tile{I * edge,
                     J * edge,
                     static_cast<int>(std::min(edge, A.n - I * edge)),
                     static_cast<int>(std::min(edge, B.n - J * edge)),
                     scores,
                     static_cast<int>(edge),
                     mirrored};
  multiply(isa, A, B, tile);
  return tile;
}

// All tiles of A B'. With symmetric = true, A and B are the same set and only tiles on and above the diagonal
// are computed: half the work.
template <class Rows, class Reducer>
void for_tiles(const Isa& isa, const Rows& A, const Rows& B, bool symmetric, const Workers& workers,
               Reducer& reducer) {
  using T = typename Rows::Score;
  const Kernels<T>& kernels = isa.kernels(T());
  const Runs runs(A.n, B.n, A.d, edge_of(isa, A));
  const auto room = [&] { return Buffer<T>(runs.edge * runs.edge); };
  parallel(workers, runs.count(), room, [&](std::int64_t run, const Buffer<T>& scores) {
    runs.for_tiles(run, symmetric, [&](std::int64_t I, std::int64_t J) {
      reducer(multiplied(isa, A, B, I, J, symmetric && J > I, scores.get()), kernels);
    });
  });
}

// The tiles of A A' on and above the diagonal for each set A of a stack, side by side: reducer(run, tiles, kernels)
// for the runs from `first` to before `last`. The tiles of one run come in order, from one thread; those of the sets
// lie in one piece, a whole tile apart.
template <class Rows, class Reducer>
void for_tile_stacks(const Isa& isa, const std::vector<const Rows*>& stack, const Runs& runs,
                     std::int64_t first, std::int64_t last, const Workers& workers, Reducer& reducer) {
  using T = typename Rows::Score;
  const Kernels<T>& kernels = isa.kernels(T());
  const std::int64_t size = runs.edge * runs.edge, sets = stack.size(), some = at_once(*stack[0]);
  struct Own {
    Buffer<T> scores;
    Buffer<std::uint16_t> left;
    std::vector<std::vector<Tile<T>>> tiles;
  };
  const auto make = [&] {
    std::int64_t room = 0;
    for (const Rows* A : stack) room = std::max(room, room_for_left(isa, *A));
    return Own{Buffer<T>(some * sets * size), Buffer<std::uint16_t>(room),
               std::vector<std::vector<Tile<T>>>(some, std::vector<Tile<T>>(sets))};
  };
  parallel(workers, last - first, make, [&](std::int64_t item, Own& own) {
    runs.for_some(first + item, true, some, [&](std::int64_t I, std::int64_t begin, std::int64_t end) {
      for (std::int64_t l = 0; l < sets; l++) {
        const auto& left = left_of(isa, *stack[l], I, own.left);
        for (std::int64_t J = begin; J < end; J++)
          own.tiles[J - begin][l] = multiplied(isa, left, *stack[l], I, J, J > I,
                                               own.scores.get() + ((J - begin) * sets + l) * size);
      }
      for (std::int64_t J = begin; J < end; J++) reducer(first + item, own.tiles[J - begin], kernels);
    });
  });
}

// The same of two sets: reducer(run, of_A, of_B, kernels), for all runs.
template <class Rows, class Reducer>
void for_tile_pairs(const Isa& isa, const Rows& A, const Rows& B, const Workers& workers, Reducer& reducer) {
  const Runs runs(A.n, A.n, A.d + B.d, edge_of(isa, A));
  const std::vector<const Rows*> both{&A, &B};
  const auto of_both = [&](std::int64_t run, const auto& tiles, const auto& kernels) {
    reducer(run, tiles[0], tiles[1], kernels);
  };
  for_tile_stacks(isa, both, runs, 0, runs.count(), workers, of_both);
}

}  // namespace consilience
