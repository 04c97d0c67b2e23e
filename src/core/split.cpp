#include "split.hpp"

namespace consilience {

namespace {

float widened(std::uint16_t rounded) {
  const std::uint32_t bits = static_cast<std::uint32_t>(rounded) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

Split::Split(const Isa& isa, const Centred& centred, double scale, const Workers& workers)
    : n(centred.view.n),
      d(centred.view.d),
      steps((d + STEP - 1) / STEP),
      pairs(even_panels(n) * steps * 2 * LENGTH),
      bias(even_panels(n) * PANEL) {
  parallel(workers, even_panels(n), [&](std::int64_t panel) {
    std::vector<double> row(steps * STEP);
    std::vector<std::uint16_t> parts[2];  // rounded, and what rounding lost
    for (auto& part : parts) part.resize(steps * STEP);
    std::uint16_t* const to = pairs.get() + panel * steps * 2 * LENGTH;
    for (std::int64_t r = 0; r < PANEL; r++) {
      const std::int64_t i = panel * PANEL + r;
      std::fill(row.begin(), row.end(), 0.0);
      if (i < n) centred.read(i, row.data());
      for (std::int64_t t = 0; t < d; t++) row[t] *= scale;
      bias[i] = i < n ? static_cast<float>(-0.5 * centred.squares[i] * scale * scale) : -HUGE_VALF;
      for (auto& part : parts) {
        isa.tiles16->round(steps * STEP, row.data(), part.data());
        for (std::int64_t t = 0; t < d; t++) row[t] -= widened(part[t]);
      }
      for (std::int64_t s = 0; s < steps; s++)
        for (int part = 0; part < 2; part++)
          for (int p = 0; p < STEP / 2; p++)
            std::memcpy(to + (2 * s + part) * LENGTH + (p * PANEL + r) * 2, &parts[part][s * STEP + 2 * p],
                        2 * sizeof(std::uint16_t));
    }
  });
}

Turned left_of(const Isa& isa, const Split& A, std::int64_t I) {
  const std::int64_t edge = edge_of(isa, A), length = 2 * A.steps * LENGTH;
  const std::int64_t first = I * edge / PANEL, panels = even_panels(std::min(edge, A.n - I * edge));
  Turned turned{A.n, Buffer<std::uint16_t>(panels * length)};
  isa.tiles16->turn(2 * A.steps * panels, A.pairs.get() + first * length, turned.rows.get());
  return turned;
}

void multiply(const Isa& isa, const Turned& A, const Split& B, const Tile<float>& tile) {
  isa.tiles16->multiply_split(static_cast<int>(even_panels(tile.rows)),
                              static_cast<int>(even_panels(tile.columns)), B.steps, A.rows.get(),
                              B.pairs.get() + tile.column * B.steps * 2 * STEP, tile.scores, tile.stride);
}

}  // namespace consilience
