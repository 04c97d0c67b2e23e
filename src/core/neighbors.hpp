// Exact k nearest neighbours, without the n x n matrix.
//
//   guess    Every pair of rows is multiplied once, in the input's own precision, tile by tile; each row
//            keeps the few best columns that it has met (Best).
//   settle   A guess is off by at most `doubt`. Columns that could be among the k nearest are judged again,
//            by the definition in float64 (similarity.hpp), and sorted. If the list surely holds all of them,
//            the row is done.
//   reopen   If it does not (many near ties, copies of one row), the row meets all columns once more and
//            keeps every contested one (Within); then it is settled.
//
// So the neighbours are those of the definition, whatever arithmetic guessed them.
#pragma once
#include <cstdint>
#include <vector>

#include "tiles.hpp"

namespace consilience {

// The rows whose k-th place is shared by several columns, and for each the columns that share it (sorted).
struct Ties {
  std::vector<std::int64_t> rows, starts = {0}, columns;
  void add(std::int64_t row, const std::vector<std::int64_t>& sharers) {
    rows.push_back(row);
    columns.insert(columns.end(), sharers.begin(), sharers.end());
    starts.push_back(static_cast<std::int64_t>(columns.size()));
  }
};

// How many columns a row remembers while guessing: enough beyond k that the worst of them usually lies below
// all contested ones, few enough that keeping them costs little. A rougher guess needs more to spare.
inline std::int64_t list_length(std::int64_t k, std::int64_t candidates, std::int64_t spare = 8) {
  return std::min(candidates, k + std::max(spare, k * spare / 16));
}

// indices and similarities are (X.n, k), row by row, nearest first. With Y = nullptr the neighbours of X's
// rows are sought among X itself, each row excluded from its own; k is then at most n - 1. ties may be null.
template <class T>
void neighbors(const Isa& isa, const View& X, const View* Y, std::int64_t k, Similarity similarity,
               const Workers& workers, std::int64_t* indices, double* similarities, Ties* ties);

}  // namespace consilience
