#include "rank_correlation.hpp"

#include "inversions.hpp"
#include "radix_sort.hpp"

namespace consilience {

namespace {

constexpr std::int64_t CHUNK = 1 << 18;  // places in one item of work

template <class F> void for_chunks(std::int64_t m, const Workers& workers, F&& f) {
  parallel(workers, (m + CHUNK - 1) / CHUNK,
           [&](std::int64_t chunk) { f(chunk * CHUNK, std::min(m, (chunk + 1) * CHUNK)); });
}

bool smaller_key(const Entry& a, const Entry& b) { return a.key < b.key; }

// Where the run of entries with this entry's key begins and ends.
std::int64_t begin_of_run(const Buffer<Entry>& sorted, std::int64_t i) {
  return std::lower_bound(sorted.get(), sorted.get() + i, sorted[i], smaller_key) - sorted.get();
}
std::int64_t end_of_run(const Buffer<Entry>& sorted, std::int64_t i, std::int64_t m) {
  return std::upper_bound(sorted.get() + i, sorted.get() + m, sorted[i], smaller_key) - sorted.get();
}

}  // namespace

template <class T> void ranks(const double* x, std::int64_t m, const Workers& workers, T* to) {
  const auto at = [&](std::int64_t i) { return Entry{key_of(x[i]), static_cast<std::uint64_t>(i)}; };
  const Buffer<Entry> sorted = radix_sort(m, at, workers);
  for_chunks(m, workers, [&](std::int64_t begin, std::int64_t end) {
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

// With x in order, and y in order where x is tied, the discordant pairs are those of y that are out of order
// (Knight 1966).
Pairs count_pairs(const double* x, const double* y, std::int64_t m, const Workers& workers) {
  std::atomic<std::uint64_t> tied_in_x{0}, tied_in_y{0}, tied_in_both{0};

  // Where y's runs of equal numbers begin stands for y.
  Buffer<Entry> in_order_of_y(m);
  {
    const auto at = [&](std::int64_t i) { return Entry{key_of(y[i]), static_cast<std::uint64_t>(i)}; };
    const Buffer<Entry> sorted = radix_sort(m, at, workers);
    for_chunks(m, workers, [&](std::int64_t begin, std::int64_t end) {
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

  const Buffer<std::uint32_t> values(m);
  {
    const Buffer<Entry> sorted = radix_sort(m, radix::Entries{in_order_of_y.get()}, workers);
    in_order_of_y = Buffer<Entry>();
    const auto smaller = [](const Entry& a, const Entry& b) {
      return a.key < b.key || (a.key == b.key && a.payload < b.payload);
    };
    for_chunks(m, workers, [&](std::int64_t begin, std::int64_t end) {
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
  return {tied_in_x, tied_in_y, tied_in_both, count_inversions(values.get(), m, workers)};
}

template void ranks<std::int32_t>(const double*, std::int64_t, const Workers&, std::int32_t*);
template void ranks<std::int64_t>(const double*, std::int64_t, const Workers&, std::int64_t*);

}  // namespace consilience
