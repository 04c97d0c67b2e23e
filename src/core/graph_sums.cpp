#include "graph_sums.hpp"

#include <algorithm>

namespace consilience {

namespace {

constexpr std::int64_t BLOCK = 4096;  // rows in one item of work
constexpr std::uint8_t POINTED_AT = 1, POINTS_HERE = 2;

// The edges the other way round: who points at i is sources[starts[i]], ..., sources[starts[i + 1] - 1].
struct Reversed {
  std::vector<std::int64_t> starts, sources;

  Reversed(const std::int64_t* indices, std::int64_t n, std::int64_t k) : starts(n + 1), sources(n * k) {
    for (std::int64_t edge = 0; edge < n * k; edge++) starts[indices[edge] + 1]++;
    for (std::int64_t i = 0; i < n; i++) starts[i + 1] += starts[i];
    std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
    for (std::int64_t edge = 0; edge < n * k; edge++) sources[next[indices[edge]]++] = edge / k;
  }
};

}  // namespace

void graph_sums(const std::int64_t* indices, std::int64_t n, std::int64_t k, const Workers& workers,
                const GraphSums& sums) {
  const Reversed reversed(indices, n, k);
  parallel(workers, (n + BLOCK - 1) / BLOCK, [&](std::int64_t block) {
    std::vector<std::uint8_t> marks(n);  // what each row has to do with row i
    for (std::int64_t i = block * BLOCK; i < std::min(n, (block + 1) * BLOCK); i++) {
      const std::int64_t* const near = indices + i * k;
      const std::int64_t *const from = reversed.sources.data() + reversed.starts[i],
                                *const to = reversed.sources.data() + reversed.starts[i + 1];
      for (std::int64_t t = 0; t < k; t++) marks[near[t]] |= POINTED_AT;
      for (const std::int64_t* source = from; source < to; source++) marks[*source] |= POINTS_HERE;

      std::int64_t mutual = 0, transitive = 0, cyclic = 0;
      for (std::int64_t t = 0; t < k; t++) {
        mutual += (marks[near[t]] & POINTS_HERE) != 0;
        const std::int64_t* const next = indices + near[t] * k;
        for (std::int64_t s = 0; s < k; s++) {
          transitive += (marks[next[s]] & POINTED_AT) != 0;
          cyclic += (marks[next[s]] & POINTS_HERE) != 0;
        }
      }
      sums.mutual[i] = mutual;
      sums.transitive[i] = transitive;
      sums.cyclic[i] = cyclic;

      for (std::int64_t t = 0; t < k; t++) marks[near[t]] = 0;
      for (const std::int64_t* source = from; source < to; source++) marks[*source] = 0;
    }
  });
}

}  // namespace consilience
