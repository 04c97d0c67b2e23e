// How many pairs of a sequence are out of order, exactly, in O(m log m).
//
// Two whole numbers differ first in one of their digits. So all pairs that differ in the highest digit are
// counted; then the numbers are split into buckets by it, in order, and those of each bucket are counted by
// the next digit.
#pragma once
#include "workers.hpp"

namespace consilience {

// Pairs of which the larger comes first, among m values, each below m. The values are overwritten.
std::uint64_t count_inversions(std::uint32_t* values, std::int64_t m, const Workers& workers);

}  // namespace consilience
