// One tile of a kernel matrix: from products of rows to its values, and from those to the sums of its rows.
#pragma once
#include <cmath>

#include "kernel_sums.hpp"
#include "split.hpp"

namespace consilience {

// Calls f with what makes the rows for an arithmetic: rows(centred, scale).
template <class F>
void with_rows(const Isa& isa, Arithmetic arithmetic, const Workers& workers, F&& f) {
  if (arithmetic == Arithmetic::split)
    f([&](const Centred& rows, double scale) { return Split(isa, rows, scale, workers); });
  else if (arithmetic == Arithmetic::in_float)
    f([&](const Centred& rows, double scale) { return pack<float>(rows, scale, workers); });
  else f([&](const Centred& rows, double scale) { return pack<double>(rows, scale, workers); });
}

template <class T> int panels_of(const Tile<T>& tile) { return (tile.columns + PANEL - 1) / PANEL; }

// From products of rows to the kernel; zero on the diagonal and beyond the last column.
template <class Rows, class T = typename Rows::Score>
void evaluate(const Tile<T>& tile, const Rows& rows, Kernel kernel, T shift, const Kernels<T>& kernels) {
  const int panels = panels_of(tile);
  const T *const row_bias = rows.bias.get() + tile.row, *const column_bias = rows.bias.get() + tile.column;
  if (kernel == Kernel::gaussian)
    kernels.gaussian(tile.rows, panels, tile.scores, tile.stride, row_bias, column_bias, shift);
  if (kernel == Kernel::laplacian)
    kernels.laplacian(tile.rows, panels, tile.scores, tile.stride, row_bias, column_bias, shift);
  for (int r = 0; r < tile.rows; r++) {
    if (!tile.mirrored) tile.line(r)[r] = 0;
    std::fill(tile.line(r) + tile.columns, tile.line(r) + panels * PANEL, T(0));
  }
}

// Whole numbers in place of fractions, so that threads may add them in any order.
struct Fixed {
  double unit;
  std::vector<std::atomic<std::int64_t>> sums;

  // Each sum has at most n terms of size at most one.
  explicit Fixed(std::int64_t n) : unit(std::ldexp(1.0, 61 - std::ilogb(static_cast<double>(n)))), sums(n) {}
  void add(std::int64_t i, double x) { sums[i].fetch_add(std::llrint(x * unit), std::memory_order_relaxed); }
  void write(double* to) const {
    for (std::size_t i = 0; i < sums.size(); i++) to[i] = static_cast<double>(sums[i]) / unit;
  }
};

// The sums of the tile's rows, and of its mirror image's.
template <class T> void add_rows(const Tile<T>& tile, const Kernels<T>& kernels, Fixed& sums) {
  double of_rows[PANEL * PANEL] = {}, of_columns[PANEL * PANEL] = {};  // a tile is at most 240 wide
  kernels.sum_rows(tile.rows, panels_of(tile), tile.scores, tile.stride, of_rows, of_columns);
  for (int r = 0; r < tile.rows; r++) sums.add(tile.row + r, of_rows[r]);
  if (!tile.mirrored) return;
  for (int c = 0; c < tile.columns; c++) sums.add(tile.column + c, of_columns[c]);
}

}  // namespace consilience
