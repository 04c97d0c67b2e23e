#include "rank_correlation.hpp"

#include "radix_sort.hpp"

namespace consilience {

namespace {

constexpr std::int64_t CHUNK = 1 << 18;   // places in one item of work
constexpr std::int64_t BLOCK = 1 << 14;   // what one item sorts or merges: it fits into the nearest caches
constexpr std::int64_t SHORT = 16;        // runs to begin with

template <class F> void for_chunks(std::int64_t m, std::int64_t length, const Workers& workers, F&& f) {
  parallel(workers, (m + length - 1) / length,
           [&](std::int64_t chunk) { f(chunk * length, std::min(m, (chunk + 1) * length)); });
}

bool smaller_key(const Entry& a, const Entry& b) { return a.key < b.key; }

// Where the run of entries with this entry's key begins and ends.
std::int64_t begin_of_run(const Buffer<Entry>& sorted, std::int64_t i) {
  return std::lower_bound(sorted.get(), sorted.get() + i, sorted[i], smaller_key) - sorted.get();
}
std::int64_t end_of_run(const Buffer<Entry>& sorted, std::int64_t i, std::int64_t m) {
  return std::upper_bound(sorted.get() + i, sorted.get() + m, sorted[i], smaller_key) - sorted.get();
}

// Knight (1966): merging two sorted runs, each number of the right one that goes before what is left of the left
// one was out of order with all of that. This merges a part of the two, and returns how many were so; `left_end`
// is where the whole left run ends.
std::uint64_t merge(const std::uint32_t* left, const std::uint32_t* left_stop, const std::uint32_t* right,
                    const std::uint32_t* right_stop, const std::uint32_t* left_end, std::uint32_t* to) {
  std::uint64_t inversions = 0;
  while (left < left_stop && right < right_stop) {
    const bool from_right = *right < *left;
    inversions += from_right ? left_end - left : 0;
    *to++ = from_right ? *right : *left;
    right += from_right;
    left += !from_right;
  }
  inversions += (right_stop - right) * (left_end - left);
  std::copy(right, right_stop, std::copy(left, left_stop, to));
  return inversions;
}

// How many of the first `taken` numbers of two merged runs come from the left one, the left first where equal.
std::int64_t share_of_left(const std::uint32_t* left, std::int64_t left_length, const std::uint32_t* right,
                           std::int64_t right_length, std::int64_t taken) {
  std::int64_t least = std::max<std::int64_t>(0, taken - right_length), most = std::min(taken, left_length);
  while (least < most) {
    const std::int64_t middle = least + (most - least) / 2;
    if (left[middle] <= right[taken - middle - 1]) least = middle + 1;
    else most = middle;
  }
  return least;
}

std::uint64_t sort_short(std::uint32_t* values, std::int64_t count) {
  std::uint64_t inversions = 0;
  for (std::int64_t i = 1; i < count; i++) {
    const std::uint32_t value = values[i];
    std::int64_t j = i;
    for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
    values[j] = value;
    inversions += i - j;
  }
  return inversions;
}

// Merges part [begin, end) of the sorted runs of `length` two by two; the part lies within one pair of runs.
std::uint64_t merge_part(const std::uint32_t* values, std::int64_t m, std::int64_t length, std::int64_t begin,
                         std::int64_t end, std::uint32_t* to) {
  const std::int64_t first = begin / (2 * length) * (2 * length), middle = std::min(m, first + length);
  const std::int64_t last = std::min(m, middle + length);
  const std::uint32_t *const left = values + first, *const right = values + middle;
  const auto share = [&](std::int64_t at) {
    return share_of_left(left, middle - first, right, last - middle, at - first);
  };
  const std::int64_t from = share(begin), until = share(end);
  return merge(left + from, left + until, right + (begin - first - from), right + (end - first - until), right,
               to + begin);
}

// How many pairs of `values` are out of order. They are sorted on the way.
std::uint64_t count_inversions(Buffer<std::uint32_t>& values, std::int64_t m, const Workers& workers) {
  Buffer<std::uint32_t> spare(m);
  std::atomic<std::uint64_t> inversions{0};  // whole numbers: their sum has no order
  for_chunks(m, BLOCK, workers, [&](std::int64_t begin, std::int64_t end) {
    std::uint32_t *from = values.get() + begin, *to = spare.get() + begin;
    const std::int64_t count = end - begin;
    std::uint64_t here = 0;
    for (std::int64_t i = 0; i < count; i += SHORT) here += sort_short(from + i, std::min(SHORT, count - i));
    for (std::int64_t length = SHORT; length < count; length *= 2) {
      for (std::int64_t i = 0; i < count; i += 2 * length)
        here += merge_part(from, count, length, i, std::min(count, i + 2 * length), to);
      std::swap(from, to);
    }
    if (from != values.get() + begin) std::copy(from, from + count, to);
    inversions += here;
  });
  for (std::int64_t length = BLOCK; length < m; length *= 2) {
    for_chunks(m, BLOCK, workers, [&](std::int64_t begin, std::int64_t end) {
      inversions += merge_part(values.get(), m, length, begin, end, spare.get());
    });
    std::swap(values, spare);
  }
  return inversions;
}

}  // namespace

template <class T> void ranks(const double* x, std::int64_t m, const Workers& workers, T* to) {
  const auto at = [&](std::int64_t i) { return Entry{key_of(x[i]), static_cast<std::uint64_t>(i)}; };
  const Buffer<Entry> sorted = radix_sort(m, at, workers);
  for_chunks(m, CHUNK, workers, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t first = begin_of_run(sorted, begin);
    for (std::int64_t i = begin; i < end;) {
      std::int64_t last = i + 1;
      while (last < end && sorted[last].key == sorted[i].key) last++;
      const std::int64_t whole = last < end ? last : end_of_run(sorted, end - 1, m);
      for (; i < last; i++) to[sorted[i].payload] = static_cast<T>(first + 1 + whole);
      first = last;
    }
  });
}

// With x in order, and y in order where x is tied, the discordant pairs are those of y that are out of order.
Pairs count_pairs(const double* x, const double* y, std::int64_t m, const Workers& workers) {
  std::atomic<std::uint64_t> tied_in_x{0}, tied_in_y{0}, tied_in_both{0};

  // Where y's runs of equal numbers begin stands for y.
  Buffer<Entry> in_order_of_y(m);
  {
    const auto at = [&](std::int64_t i) { return Entry{key_of(y[i]), static_cast<std::uint64_t>(i)}; };
    const Buffer<Entry> sorted = radix_sort(m, at, workers);
    for_chunks(m, CHUNK, workers, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t first = begin_of_run(sorted, begin);
      std::uint64_t tied = 0;
      for (std::int64_t i = begin; i < end; i++) {
        if (sorted[i].key != sorted[first].key) first = i;
        tied += i - first;
        in_order_of_y[i] = {key_of(x[sorted[i].payload]), static_cast<std::uint64_t>(first)};
      }
      tied_in_y += tied;
    });
  }

  Buffer<std::uint32_t> values(m);
  {
    const Buffer<Entry> sorted = radix_sort(m, radix::Entries{in_order_of_y.get()}, workers);
    in_order_of_y = Buffer<Entry>();
    const auto smaller = [](const Entry& a, const Entry& b) {
      return a.key < b.key || (a.key == b.key && a.payload < b.payload);
    };
    for_chunks(m, CHUNK, workers, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t first = begin_of_run(sorted, begin);
      std::int64_t first_of_both =
          std::lower_bound(sorted.get(), sorted.get() + begin, sorted[begin], smaller) - sorted.get();
      std::uint64_t tied = 0, both = 0;
      for (std::int64_t i = begin; i < end; i++) {
        if (sorted[i].key != sorted[first].key) first = i;
        if (first > first_of_both || sorted[i].payload != sorted[first_of_both].payload) first_of_both = i;
        tied += i - first;
        both += i - first_of_both;
        values[i] = static_cast<std::uint32_t>(sorted[i].payload);
      }
      tied_in_x += tied;
      tied_in_both += both;
    });
  }
  return {tied_in_x, tied_in_y, tied_in_both, count_inversions(values, m, workers)};
}

template void ranks<std::int32_t>(const double*, std::int64_t, const Workers&, std::int32_t*);
template void ranks<std::int64_t>(const double*, std::int64_t, const Workers&, std::int64_t*);

}  // namespace consilience
