#include "split.hpp"

namespace consilience {

Split::Split(const Isa& isa, const Centred& centred, double scale, const Workers& workers)
    : n(centred.view.n),
      d(centred.view.d),
      steps((d + STEP - 1) / STEP),
      pairs(even_panels(n) * steps * 2 * LENGTH),
      bias(even_panels(n) * PANEL) {
  parallel(workers, even_panels(n), [&](std::int64_t panel) {
    const std::int64_t units = steps * STEP;
    std::vector<double> row(units);
    std::vector<std::uint16_t> parts(2 * units),
        rows(2 * units * PANEL);  // zeros beyond the last row and unit
    for (std::int64_t r = 0; r < PANEL; r++) {
      const std::int64_t i = panel * PANEL + r;
      bias[i] = i < n ? static_cast<float>(-0.5 * centred.squares[i] * scale * scale) : -HUGE_VALF;
      if (i >= n) continue;
      centred.read(i, row.data());
      for (std::int64_t t = 0; t < d; t++) row[t] *= scale;
      isa.tiles16->split(units, row.data(), parts.data(), parts.data() + units);
      for (std::int64_t s = 0; s < 2 * steps; s++)
        std::memcpy(&rows[s * LENGTH + r * STEP], &parts[(s % 2 * steps + s / 2) * STEP],
                    STEP * sizeof parts[0]);
    }
    isa.tiles16->turn(2 * steps, rows.data(), pairs.get() + panel * steps * 2 * LENGTH);
  });
}

Turned left_of(const Isa& isa, const Split& A, std::int64_t I, const Buffer<std::uint16_t>& room) {
  const std::int64_t edge = edge_of(isa, A), length = 2 * A.steps * LENGTH;
  const std::int64_t first = I * edge / PANEL, panels = even_panels(std::min(edge, A.n - I * edge));
  isa.tiles16->turn(2 * A.steps * panels, A.pairs.get() + first * length, room.get());
  return {A.n, room.get()};
}

void multiply(const Isa& isa, const Turned& A, const Split& B, const Tile<float>& tile) {
  isa.tiles16->multiply_split(static_cast<int>(even_panels(tile.rows)),
                              static_cast<int>(even_panels(tile.columns)), B.steps, A.rows,
                              B.pairs.get() + tile.column * B.steps * 2 * STEP, tile.scores, tile.stride);
}

}  // namespace consilience
