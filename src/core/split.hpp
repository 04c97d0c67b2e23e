// Rows as sums of two bfloat16 each: sixteen of float32's twenty-four bits, multiplied several times as fast
// (Tiles16).
#pragma once
#include "tiles.hpp"

namespace consilience {

struct Split {
  using Score = float;
  std::int64_t n, d, steps;
  Buffer<std::uint16_t> pairs;  // as the right operand: see Tiles16
  Buffer<float> bias;           // as Packed has it

  // Centred rows times `scale`.
  Split(const Isa& isa, const Centred& centred, double scale, const Workers& workers);
};

// The rows of one row of tiles, as the left operand.
struct Turned {
  std::int64_t n;
  const std::uint16_t* rows;
};

inline std::int64_t edge_of(const Isa& isa, const Split&) { return isa.tiles16->tile; }
inline std::int64_t at_once(const Split&) { return 4; }  // for turning takes a fifth of a tile's time
inline std::int64_t room_for_left(const Isa& isa, const Split& A) {
  return edge_of(isa, A) * A.steps * 2 * STEP;
}
Turned left_of(const Isa& isa, const Split& A, std::int64_t I, const Buffer<std::uint16_t>& room);
void multiply(const Isa& isa, const Turned& A, const Split& B, const Tile<float>& tile);

}  // namespace consilience
