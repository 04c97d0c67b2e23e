// Rows rounded to bfloat16, for guesses (Tiles16). What rounding moved is measured row by row, so that the doubt is
// known, and rows are centred first, so that it is small: what they share does not count.
#pragma once
#include "tiles.hpp"

namespace consilience {

struct Rounded {
  using Score = float;
  std::int64_t n, d, panels, steps;
  Buffer<std::uint16_t> rows, pairs;  // as the left and as the right operand: see Tiles16
  Buffer<float>
      bias;  // of a column: its product with the mean (cosine, dot), or minus half its squared length
  std::vector<double> lengths, gaps;  // of each row, and how far what is stored lies from it
  double steepest = 0;                // largest bias

  // Rows times `scale`, or unit rows for the cosine, less their mean. `squares` are those of the rows.
  Rounded(const Isa& isa, const View& view, Similarity similarity, const std::vector<double>& squares,
          double scale, const Workers& workers);
  std::vector<double> margins(Similarity similarity) const;  // twice the doubt, row by row
};

inline std::int64_t edge_of(const Isa& isa, const Rounded&) { return isa.tiles16->tile; }
void multiply(const Isa& isa, const Rounded& A, const Rounded& B, const Tile<float>& tile);

}  // namespace consilience
