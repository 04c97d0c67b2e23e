// What three neighbours have to do with one another in a graph where every row points at k others: the whole
// numbers behind the exact null of mutual k-NN.
#pragma once
#include "workers.hpp"

namespace consilience {

// For each row i, with j among the k that it points at (`indices`, n x k, all of them in 0 to n - 1):
struct GraphSums {
  std::int64_t* mutual;      // how many j point back at i
  std::int64_t* transitive;  // how many l that j points at, i points at too
  std::int64_t* cyclic;      // how many l that j points at point at i
};

// O(n k²) time. Memory: the edges once more, the other way round, and n bytes a thread.
void graph_sums(const std::int64_t* indices, std::int64_t n, std::int64_t k, const Workers& workers,
                const GraphSums& sums);

}  // namespace consilience
