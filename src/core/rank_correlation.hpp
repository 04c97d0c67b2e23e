// What rank correlations are made of, exact in whole numbers: ranks, and how many pairs agree.
#pragma once
#include "workers.hpp"

namespace consilience {

// Twice the rank of each of m finite numbers, from 2 for a lone smallest to 2 m for a lone largest; equal
// ones share the mean of their ranks, which twice is a whole number. T is int32 or int64, whatever holds 2 m.
template <class T> void ranks(const double* x, std::int64_t m, const Workers& workers, T* to);

// Of the m (m - 1) / 2 pairs of places of x and y: how many are equal in x, in y and in both, and how many
// lie one way round in x and the other in y. m is below 2^32, so that none of them overflows.
struct Pairs {
  std::uint64_t tied_in_x = 0, tied_in_y = 0, tied_in_both = 0, discordant = 0;
};
Pairs count_pairs(const double* x, const double* y, std::int64_t m, const Workers& workers);

}  // namespace consilience
