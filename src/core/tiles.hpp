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
        length(std::clamp<std::int64_t>(16384 / d, 1, 8)),
        in_a_row((across + length - 1) / length) {}

  std::int64_t count() const { return down * in_a_row; }
  std::int64_t row(std::int64_t run) const { return run / in_a_row; }

  // Calls f(I, J) for the tiles of one run, those below the diagonal left out if it is symmetric.
  template <class F> void for_tiles(std::int64_t run, bool symmetric, F&& f) const {
    const std::int64_t I = row(run), first = run % in_a_row * length;
    for (std::int64_t J = symmetric ? std::max(first, I) : first; J < std::min(first + length, across); J++)
      f(I, J);
  }
};

// Of rows as they are packed; Rounded and Split rows have their own (rounded.hpp, split.hpp). `left_of` is what a
// row of tiles has on its left: here the rows themselves.
template <class T> std::int64_t edge_of(const Isa& isa, const Packed<T>&) { return isa.kernels(T()).tile; }
template <class Rows> const Rows& left_of(const Isa&, const Rows& A, std::int64_t) { return A; }
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
  parallel(workers, runs.count(), [&](std::int64_t run) {
    const Buffer<T> scores(runs.edge * runs.edge);
    runs.for_tiles(run, symmetric, [&](std::int64_t I, std::int64_t J) {
      reducer(multiplied(isa, A, B, I, J, symmetric && J > I, scores.get()), kernels);
    });
  });
}

// The same tiles of A A' and of B B', on and above the diagonal, side by side: reducer(run, of_A, of_B,
// kernels). The tiles of one run come in order, from one thread.
template <class Rows, class Reducer>
void for_tile_pairs(const Isa& isa, const Rows& A, const Rows& B, const Workers& workers, Reducer& reducer) {
  using T = typename Rows::Score;
  const Kernels<T>& kernels = isa.kernels(T());
  const Runs runs(A.n, A.n, A.d + B.d, edge_of(isa, A));
  parallel(workers, runs.count(), [&](std::int64_t run) {
    const Buffer<T> of_A(runs.edge * runs.edge), of_B(runs.edge * runs.edge);
    const auto &left_A = left_of(isa, A, runs.row(run)), &left_B = left_of(isa, B, runs.row(run));
    runs.for_tiles(run, true, [&](std::int64_t I, std::int64_t J) {
      reducer(run, multiplied(isa, left_A, A, I, J, J > I, of_A.get()),
              multiplied(isa, left_B, B, I, J, J > I, of_B.get()), kernels);
    });
  });
}

// The same tiles of A A' for each set A of a stack, side by side: reducer(run, tiles, kernels) for the runs from
// `first` to before `last`. The tiles lie in one piece, a whole tile apart.
template <class Rows, class Reducer>
void for_tile_stacks(const Isa& isa, const std::vector<Rows>& stack, const Runs& runs, std::int64_t first,
                     std::int64_t last, const Workers& workers, Reducer& reducer) {
  using T = typename Rows::Score;
  const Kernels<T>& kernels = isa.kernels(T());
  const std::int64_t size = runs.edge * runs.edge;
  parallel(workers, last - first, [&](std::int64_t item) {
    const Buffer<T> scores(stack.size() * size);
    std::vector<Tile<T>> tiles(stack.size());
    runs.for_tiles(first + item, true, [&](std::int64_t I, std::int64_t J) {
      for (std::size_t l = 0; l < stack.size(); l++)
        tiles[l] = multiplied(isa, left_of(isa, stack[l], I), stack[l], I, J, J > I, scores.get() + l * size);
      reducer(first + item, tiles, kernels);
    });
  });
}

}  // namespace consilience
