// The k best columns of each row of a matrix that is never stored: exact, whatever arithmetic guessed them.
//
//   guess    Every entry is computed once, in the input's own precision, tile by tile; each row keeps the few
//            best columns that it has met (Best).
//   settle   A guess is off by at most `doubt`. Columns that could be among the k best go to a judge, who has
//            a definition in float64 (similarity.hpp). If the list surely holds all of them, the row is done.
//   reopen   If it does not (many near ties, copies of one row), the row meets all columns once more and
//            keeps every contested one (Within); then it is settled.
#pragma once
#include <limits>
#include <mutex>

#include "tiles.hpp"

namespace consilience {

// How many columns a row remembers while guessing: beyond k `spare`, and more in proportion where k is above 16,
// so that the worst of them usually lies below all contested ones, yet few enough that keeping them costs little.
// A rougher guess needs more to spare.
inline std::int64_t list_length(std::int64_t k, std::int64_t candidates, std::int64_t spare = 8) {
  return std::min(candidates, k + std::max(spare, k * spare / 16));
}

// One lock for each band of rows as high as a tile.
struct Bands {
  std::int64_t edge;
  std::vector<std::mutex> locks;
  Bands(std::int64_t n, std::int64_t edge) : edge(edge), locks((n + edge - 1) / edge) {}
  std::unique_lock<std::mutex> hold(std::int64_t row) {
    return std::unique_lock<std::mutex>(locks[row / edge]);
  }
};

template <class T> struct Hit {
  T score;
  std::int32_t column;
};

// Keeps: for each row of A (Packed or Rounded) the columns of B met so far that could still be among its k best, and
// the bar that a newcomer must exceed: the k-th best score less the margin, which is twice the doubt. Memory: `room`
// hits a row. When a row's list is full, what lies below the bar is dropped; if hardly anything does, the bar is
// raised until something does, and the row may have to be opened again. Order: does not matter to what is settled,
// since the k best and every contested column survive each drop, or the row is opened.
template <class T> struct Best {
  static constexpr int FEW = 256;  // hits in a list, up to which counting is faster than sorting
  std::int64_t k, room, keep;      // at most `keep` hits survive a drop
  std::vector<std::int64_t> own;   // of each row, the column that does not count, or none
  std::vector<double> margins;
  std::vector<Hit<T>> hits;
  std::vector<std::int64_t> count;
  Buffer<T> bars;
  const T* bias;  // of each column
  Bands bands;

  template <class Rows>
  Best(const Rows& A, const Rows& B, std::int64_t k, std::int64_t room, std::vector<double> margins,
       std::int64_t edge, std::vector<std::int64_t> own)
      : k(k),
        room(room),
        keep(room - std::max<std::int64_t>(1, room / 8)),
        own(std::move(own)),
        margins(std::move(margins)),
        hits(A.n * room),
        count(A.n),
        bars(A.panels * PANEL),
        bias(B.bias.get()),
        bands(A.n, edge) {
    const T infinity = std::numeric_limits<T>::infinity();
    for (std::int64_t i = 0; i < A.panels * PANEL; i++) bars[i] = i < A.n ? -infinity : infinity;
  }

  Hit<T>* list(std::int64_t row) { return hits.data() + row * room; }

  void drop_worse(std::int64_t row, const Kernels<T>& kernels) {
    if (count[row] <= FEW && drop_worse_of_few(row, kernels)) return;
    Hit<T>* const all = list(row);
    std::nth_element(all, all + keep - 1, all + count[row],
                     [](const Hit<T>& a, const Hit<T>& b) { return a.score > b.score; });
    bars[row] = all[keep - 1].score;
    count[row] = keep;
  }

  // It is short lists that time goes into. Says no where too many tie.
  bool drop_worse_of_few(std::int64_t row, const Kernels<T>& kernels) {
    const T infinity = std::numeric_limits<T>::infinity();
    Hit<T>* const all = list(row);
    T scores[FEW + PANEL], larger[FEW + PANEL], kth = infinity, last = infinity;
    for (std::int64_t h = 0; h < count[row]; h++) scores[h] = all[h].score;
    kernels.count_larger(static_cast<int>(count[row]), scores, larger);
    for (std::int64_t h = 0; h < count[row]; h++) {
      kth = larger[h] < static_cast<T>(k) && scores[h] < kth ? scores[h] : kth;
      last = larger[h] < static_cast<T>(keep) && scores[h] < last ? scores[h] : last;
    }
    const T bar = std::max(last, static_cast<T>(kth - margins[row]));
    std::int64_t stay = 0;
    for (std::int64_t h = 0; h < count[row]; h++) stay += (scores[h] >= kth) | (scores[h] > bar);
    if (stay > keep) return false;
    for (std::int64_t h = 0, to = 0; to < stay; h++) {
      all[to] = all[h];
      to += (scores[h] >= kth) | (scores[h] > bar);
    }
    bars[row] = bar;
    count[row] = stay;
    return true;
  }

  void meet(std::int64_t row, std::int64_t column, T score, const Kernels<T>& kernels) {
    if (!(score > bars[row]) || (!own.empty() && own[row] == column)) return;
    if (count[row] == room) {
      drop_worse(row, kernels);
      if (!(score > bars[row])) return;
    }
    list(row)[count[row]++] = {score, static_cast<std::int32_t>(column)};
  }

  // A tile of A B': its rows meet its columns.
  void rows_meet(const Tile<T>& tile, const Kernels<T>& kernels) {
    int found[PANEL * PANEL];  // a tile is at most 240 columns wide
    const auto lock = bands.hold(tile.row);
    const T* const of_columns = bias + tile.column;
    for (int r = 0; r < tile.rows; r++) {
      const T* const scores = tile.line(r);
      const int hits = kernels.above(tile.columns, scores, of_columns, bars[tile.row + r], found);
      for (int h = 0; h < hits; h++)
        meet(tile.row + r, tile.column + found[h], scores[found[h]] + of_columns[found[h]], kernels);
    }
  }

  // A tile of B A': its columns meet its rows.
  void columns_meet(const Tile<T>& tile, const Kernels<T>& kernels) {
    int found[PANEL * PANEL];
    const auto lock = bands.hold(tile.column);
    for (int r = 0; r < tile.rows; r++) {
      const T *const scores = tile.line(r), of_row = bias[tile.row + r];
      const int hits = kernels.above_each(tile.columns, scores, of_row, bars.get() + tile.column, found);
      for (int h = 0; h < hits; h++)
        meet(tile.column + found[h], tile.row + r, scores[found[h]] + of_row, kernels);
    }
  }
};

// Keeps: for each row every column whose score exceeds the row's bar.
// Memory: as many columns as there are; rows come in batches.
// Order: a set has none.
template <class T> struct Within {
  const Packed<T>& B;
  const std::vector<T>& bars;
  std::vector<std::vector<std::int32_t>> columns;
  Bands bands;

  Within(const Packed<T>& B, const std::vector<T>& bars, std::int64_t edge)
      : B(B), bars(bars), columns(bars.size()), bands(bars.size(), edge) {}

  void rows_meet(const Tile<T>& tile, const Kernels<T>& kernels) {
    int found[PANEL * PANEL];
    const auto lock = bands.hold(tile.row);
    for (int r = 0; r < tile.rows; r++) {
      const int hits =
          kernels.above(tile.columns, tile.line(r), B.bias.get() + tile.column, bars[tile.row + r], found);
      for (int h = 0; h < hits; h++)
        columns[tile.row + r].push_back(static_cast<std::int32_t>(tile.column + found[h]));
    }
  }
};

// The number of roundings behind one guess; see `doubt`.
inline double chain_length(std::int64_t d) {
  return static_cast<double>(std::min<std::int64_t>(d, DEPTH) + d / DEPTH);
}

// A row whose list may miss a contested column, and the score that those exceed.
template <class T> struct Open {
  std::int64_t row;
  T bar;
};

// Settles the rows whose lists surely hold every contested column, and returns the others. judge(i, columns, sure) is
// called for each row, from any thread, with every column that could be among its k best; the first `sure` of them
// are, without doubt.
template <class T, class Judge>
std::vector<Open<T>> settle_lists(Best<T>& best, const Workers& workers, Judge&& judge) {
  constexpr std::int64_t ROWS_AT_ONCE = 64;
  const std::int64_t n = static_cast<std::int64_t>(best.count.size()), k = best.k;
  std::vector<T> bars(n);
  std::vector<char> open(n);
  parallel(workers, (n + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, [&](std::int64_t item) {
    std::vector<std::int64_t> contested;
    for (std::int64_t i = item * ROWS_AT_ONCE; i < std::min(n, (item + 1) * ROWS_AT_ONCE); i++) {
      Hit<T>* const list = best.list(i);
      const std::int64_t count = best.count[i];
      std::sort(list, list + count, [](const Hit<T>& a, const Hit<T>& b) { return a.score > b.score; });
      const double margin = best.margins[i];
      bars[i] = static_cast<T>(list[k - 1].score - margin);
      open[i] = best.bars[i] > bars[i];
      if (open[i]) continue;
      contested.clear();
      for (std::int64_t h = 0; h < count && (h < k || list[h].score > bars[i]); h++)
        contested.push_back(list[h].column);
      std::int64_t sure = 0;
      while (sure < k && (k == count || list[sure].score - margin > list[k].score)) sure++;
      judge(i, contested, sure);
    }
  });
  std::vector<Open<T>> left;
  for (std::int64_t i = 0; i < n; i++)
    if (open[i]) left.push_back({i, bars[i]});
  return left;
}

// Open rows meet all columns once more, and are settled. prepare(tile, kernels) does to a tile what was done before
// Best met it.
template <class T, class Prepare, class Judge>
void reopen(const Isa& isa, const Packed<T>& A, const Packed<T>& B, const std::vector<Open<T>>& open,
            const Workers& workers, Prepare&& prepare, Judge&& judge) {
  constexpr std::size_t BATCH = 960;  // rows at once: bounds the memory that many ties can take
  for (std::size_t start = 0; start < open.size(); start += BATCH) {
    std::vector<std::int64_t> rows;
    std::vector<T> bars;
    for (std::size_t r = start; r < std::min(open.size(), start + BATCH); r++) {
      rows.push_back(open[r].row);
      bars.push_back(open[r].bar);
    }
    Within<T> within(B, bars, isa.kernels(T()).tile);
    const auto reducer = [&](const Tile<T>& tile, const Kernels<T>& kernels) {
      prepare(tile, kernels);
      within.rows_meet(tile, kernels);
    };
    for_tiles(isa, gather(A, rows), B, false, workers, reducer);
    parallel(workers, static_cast<std::int64_t>(rows.size()),
             [&](std::int64_t r) { judge(rows[r], within.columns[r], 0); });
  }
}

}  // namespace consilience
