// A stable sort of many numbers that carry something along: O(m) for each digit of the key, in the same order
// for any number of threads.
//
//   split    By the leading bits in which keys differ, into buckets that lie in order. Threads count, then
//            place, chunk by chunk.
//   sort     Each bucket by its remaining bits, from the last digit to the first, in cache.
//   again    A bucket that is still large (values in a few clusters, a far outlier) is split anew.
#pragma once
#include <array>
#include <cstring>
#include <utility>

#include "pack.hpp"

namespace consilience {

struct Entry {
  std::uint64_t key, payload;
};

// Whole numbers in the order of the finite floating point numbers; both zeros are one.
inline std::uint64_t key_of(double x) {
  x += 0.0;
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | std::uint64_t(1) << 63;
}

namespace radix {

constexpr int LEADING = 11, DIGIT = 8;          // bits to split by, and to sort by
constexpr std::int64_t CHUNK = 1 << 18;         // entries in one item of work
constexpr std::int64_t BUCKETS = 1 << LEADING;  // and AT_ONCE of them in one item
constexpr std::int64_t AT_ONCE = 16;
constexpr std::int64_t LARGE = 8 * CHUNK;  // a bucket not sorted by one thread alone
constexpr std::int64_t FEW = 64;           // entries whose digits are not worth counting

// What differs between keys: the lowest, and how many bits there are above it.
struct Span {
  std::uint64_t lowest = ~std::uint64_t(0), highest = 0;
  void add(std::uint64_t key) {
    lowest = std::min(lowest, key);
    highest = std::max(highest, key);
  }
  int bits() const {
    int bits = 0;
    for (std::uint64_t rest = highest - lowest; rest; rest >>= 1) bits++;
    return bits;
  }
};

// A bucket, as the entries of a sort of its own.
struct Entries {
  const Entry* from;
  Entry operator()(std::int64_t i) const { return from[i]; }
};

// One bucket, by one thread.
inline void sort_bucket(Entry* bucket, Entry* spare, std::int64_t count) {
  if (count <= FEW) {
    std::stable_sort(bucket, bucket + count, [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return;
  }
  Span span;
  for (std::int64_t i = 0; i < count; i++) span.add(bucket[i].key);
  Entry *from = bucket, *to = spare;
  for (int shift = 0; shift < span.bits(); shift += DIGIT) {
    const auto digit_of = [&](const Entry& entry) {
      return (entry.key - span.lowest) >> shift & ((1 << DIGIT) - 1);
    };
    std::int64_t starts[1 << DIGIT] = {}, before = 0;
    for (std::int64_t i = 0; i < count; i++) starts[digit_of(from[i])]++;
    for (std::int64_t& start : starts) before += std::exchange(start, before);
    for (std::int64_t i = 0; i < count; i++) to[starts[digit_of(from[i])]++] = from[i];
    std::swap(from, to);
  }
  if (from != bucket) std::copy(from, from + count, bucket);
}

}  // namespace radix

// The entries at(0), ..., at(m - 1), sorted by their keys; those with equal keys stay in order.
template <class At> Buffer<Entry> radix_sort(std::int64_t m, const At& at, const Workers& workers) {
  using namespace radix;
  const std::int64_t chunks = (m + CHUNK - 1) / CHUNK;
  const auto for_chunk = [&](std::int64_t chunk, auto&& f) {
    for (std::int64_t i = chunk * CHUNK; i < std::min(m, (chunk + 1) * CHUNK); i++) f(at(i));
  };

  // Split.
  std::vector<Span> spans(chunks);
  parallel(workers, chunks, [&](std::int64_t chunk) {
    Span here;
    for_chunk(chunk, [&](const Entry& entry) { here.add(entry.key); });
    spans[chunk] = here;
  });
  Span span;
  for (const Span& one : spans) {
    span.add(one.lowest);
    span.add(one.highest);
  }
  const int shift = std::max(0, span.bits() - LEADING);
  std::vector<std::array<std::int64_t, BUCKETS>> places(chunks);  // of each chunk's next entry in each bucket
  parallel(workers, chunks, [&](std::int64_t chunk) {
    places[chunk].fill(0);
    for_chunk(chunk, [&](const Entry& entry) { places[chunk][(entry.key - span.lowest) >> shift]++; });
  });
  std::vector<std::int64_t> starts(BUCKETS + 1);
  std::int64_t before = 0;
  for (std::int64_t bucket = 0; bucket < BUCKETS; bucket++) {
    starts[bucket] = before;
    for (auto& of_chunk : places) before += std::exchange(of_chunk[bucket], before);
  }
  starts[BUCKETS] = m;
  Buffer<Entry> entries(m);
  parallel(workers, chunks, [&](std::int64_t chunk) {
    for_chunk(chunk, [&](const Entry& entry) {
      entries[places[chunk][(entry.key - span.lowest) >> shift]++] = entry;
    });
  });
  if (shift == 0) return entries;  // a bucket is one key

  // Sort.
  const auto size = [&](std::int64_t bucket) { return starts[bucket + 1] - starts[bucket]; };
  parallel(workers, BUCKETS / AT_ONCE, [&](std::int64_t item) {
    Buffer<Entry> spare;
    std::int64_t room = 0;
    for (std::int64_t bucket = item * AT_ONCE; bucket < (item + 1) * AT_ONCE; bucket++) {
      if (size(bucket) > LARGE) continue;
      if (size(bucket) > room) spare = Buffer<Entry>(room = size(bucket));
      sort_bucket(entries.get() + starts[bucket], spare.get(), size(bucket));
    }
  });

  // Again.
  for (std::int64_t bucket = 0; bucket < BUCKETS; bucket++) {
    if (size(bucket) <= LARGE) continue;
    Entry* const here = entries.get() + starts[bucket];
    const Buffer<Entry> sorted = radix_sort(size(bucket), Entries{here}, workers);
    std::copy(sorted.get(), sorted.get() + size(bucket), here);
  }
  return entries;
}

}  // namespace consilience
