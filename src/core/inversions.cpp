#include "inversions.hpp"

#include <array>
#include <utility>

#include "pack.hpp"

namespace consilience {

namespace {

constexpr std::int64_t CHUNK = 1 << 18;  // values in one item of work
constexpr std::int64_t FEW = 16;         // values whose pairs are compared one by one
constexpr int DIGIT = 4, DIGITS = 1 << DIGIT;

using Counts = std::array<std::int64_t, DIGITS>;

// than[digit][other] is one where `other` is smaller.
struct Smaller {
  std::uint32_t than[DIGITS][DIGITS];
  constexpr Smaller() : than() {
    for (int digit = 0; digit < DIGITS; digit++)
      for (int other = 0; other < digit; other++) than[digit][other] = 1;
  }
};

// DIGIT bits of a number, from bit `shift` on.
struct Digit {
  int shift;
  unsigned of(std::uint32_t value) const { return value >> shift & (DIGITS - 1); }

  // How many of the pairs have the larger digit first. `counts` becomes how often each digit occurs. A digit
  // adds one to `larger` of each that is smaller: a row of ones and zeros, added at once.
  std::uint64_t inversions(const std::uint32_t* values, std::int64_t count, Counts& counts) const {
    static constexpr Smaller smaller;
    std::uint32_t larger[DIGITS] = {};
    std::uint64_t found = 0;
    counts.fill(0);
    for (std::int64_t i = 0; i < count; i++) {
      const unsigned digit = of(values[i]);
      found += larger[digit];
      counts[digit]++;
      for (int other = 0; other < DIGITS; other++) larger[other] += smaller.than[digit][other];
    }
    return found;
  }

  // Puts each value into its bucket, in order; `places` are those of each bucket's next value.
  void split(const std::uint32_t* values, std::int64_t count, Counts places, std::uint32_t* to) const {
    for (std::int64_t i = 0; i < count; i++) to[places[of(values[i])]++] = values[i];
  }
};

// How many pairs are out of order, by one thread. Both arrays are overwritten.
std::uint64_t count_all(std::uint32_t* values, std::uint32_t* spare, std::int64_t count, Digit digit) {
  std::uint64_t found = 0;
  if (count <= FEW) {
    for (std::int64_t i = 0; i < count; i++)
      for (std::int64_t j = 0; j < i; j++) found += values[j] > values[i];
    return found;
  }
  Counts starts;
  found = digit.inversions(values, count, starts);
  if (digit.shift == 0) return found;
  std::int64_t before = 0;
  for (std::int64_t& start : starts) before += std::exchange(start, before);
  digit.split(values, count, starts, spare);
  for (int bucket = 0; bucket < DIGITS; bucket++) {
    const std::int64_t start = starts[bucket], end = bucket + 1 < DIGITS ? starts[bucket + 1] : count;
    found += count_all(spare + start, values + start, end - start, {digit.shift - DIGIT});
  }
  return found;
}

}  // namespace

// The first digit chunk by chunk, to which come the pairs with their larger one in an earlier chunk; then
// each bucket by one thread.
std::uint64_t count_inversions(std::uint32_t* values, std::int64_t m, const Workers& workers) {
  Digit first{0};
  while (m >> first.shift >> DIGIT) first.shift += DIGIT;
  const std::int64_t chunks = (m + CHUNK - 1) / CHUNK;
  const auto length = [&](std::int64_t chunk) { return std::min(CHUNK, m - chunk * CHUNK); };
  std::vector<Counts> places(chunks);   // of each chunk's next value in each bucket
  std::atomic<std::uint64_t> found{0};  // whole numbers: their sum has no order
  parallel(workers, chunks, [&](std::int64_t chunk) {
    found += first.inversions(values + chunk * CHUNK, length(chunk), places[chunk]);
  });

  Counts seen{}, starts;
  for (const Counts& counts : places)
    for (int bucket = 0; bucket < DIGITS;
         bucket++) {  // upwards: the larger ones of this chunk are not yet seen
      for (int larger = bucket + 1; larger < DIGITS; larger++) found += counts[bucket] * seen[larger];
      seen[bucket] += counts[bucket];
    }
  std::int64_t before = 0;
  for (int bucket = 0; bucket < DIGITS; bucket++) {
    starts[bucket] = before;
    for (Counts& of_chunk : places) before += std::exchange(of_chunk[bucket], before);
  }

  const Buffer<std::uint32_t> spare(m);
  parallel(workers, chunks, [&](std::int64_t chunk) {
    first.split(values + chunk * CHUNK, length(chunk), places[chunk], spare.get());
  });
  if (first.shift == 0) return found;
  parallel(workers, DIGITS, [&](std::int64_t bucket) {
    const std::int64_t start = starts[bucket];
    found += count_all(spare.get() + start, values + start, seen[bucket], {first.shift - DIGIT});
  });
  return found;
}

}  // namespace consilience
