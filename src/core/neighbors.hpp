// Exact k nearest neighbours, without the n x n matrix: those of the definition (similarity.hpp), whatever
// arithmetic guessed them (best.hpp).
#pragma once
#include "best.hpp"

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

// indices and similarities are (X.n, k), row by row, nearest first; without similarities, which may be null, the k
// nearest come in any order, and faster. With Y = nullptr the neighbours of X's rows are sought among X itself,
// each row excluded from its own; k is then at most n - 1. ties may be null.
template <class T>
void neighbors(const Isa& isa, const View& X, const View* Y, std::int64_t k, Similarity similarity,
               const Workers& workers, std::int64_t* indices, double* similarities, Ties* ties);

}  // namespace consilience
