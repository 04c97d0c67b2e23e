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

// Keeps: for each row of A at least the `keep` best rows of B met so far, and the score that a newcomer must
// exceed. Memory: 2 keep hits a row; when a row's list is full, its worse half is dropped, at constant cost
// for each newcomer. Order: does not matter to what is settled, since the k best and every contested column
// survive each drop.
template <class T> struct Best {
  static constexpr int FEW = 256;  // hits in a list, up to which counting is faster than sorting
  std::int64_t keep, candidates, room;
  bool exclude_self;
  std::vector<Hit<T>> hits;
  std::vector<std::int64_t> count;
  Buffer<T> bars;
  const Packed<T>& B;
  Bands bands;

  Best(const Packed<T>& A, const Packed<T>& B, std::int64_t keep, std::int64_t edge, bool exclude_self)
      : keep(keep),
        candidates(B.n - exclude_self),
        room(std::min(2 * keep, B.n)),
        exclude_self(exclude_self),
        hits(A.n * room),
        count(A.n),
        bars(A.panels * PANEL),
        B(B),
        bands(A.n, edge) {
    const T infinity = std::numeric_limits<T>::infinity();
    for (std::int64_t i = 0; i < A.panels * PANEL; i++) bars[i] = i < A.n ? -infinity : infinity;
  }

  Hit<T>* list(std::int64_t row) { return hits.data() + row * room; }

  void drop_worse(std::int64_t row, const Kernels<T>& kernels) {
    if (count[row] > FEW || !drop_worse_of_few(row, kernels)) {
      Hit<T>* const all = list(row);
      std::nth_element(all, all + keep - 1, all + count[row],
                       [](const Hit<T>& a, const Hit<T>& b) { return a.score > b.score; });
      bars[row] = all[keep - 1].score;
    }
    count[row] = keep;
  }

  // The same, faster: it is short lists that time goes into. Says no where ties leave the worst in doubt.
  bool drop_worse_of_few(std::int64_t row, const Kernels<T>& kernels) {
    Hit<T>* const all = list(row);
    T scores[FEW + PANEL], larger[FEW + PANEL];
    for (std::int64_t h = 0; h < count[row]; h++) scores[h] = all[h].score;
    kernels.count_larger(static_cast<int>(count[row]), scores, larger);
    T bar = std::numeric_limits<T>::infinity();
    std::int64_t stay = 0;
    for (std::int64_t h = 0; h < count[row]; h++) {
      const bool stays = larger[h] < static_cast<T>(keep);
      bar = stays && scores[h] < bar ? scores[h] : bar;
      stay += stays;
    }
    if (stay != keep) return false;
    bars[row] = bar;
    for (std::int64_t h = 0, to = 0; to < keep; h++) {
      all[to] = all[h];
      to += larger[h] < static_cast<T>(keep);
    }
    return true;
  }

  void meet(std::int64_t row, std::int64_t column, T score, const Kernels<T>& kernels) {
    if (!(score > bars[row]) || (exclude_self && row == column)) return;
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
    const T* const bias = B.bias.get() + tile.column;
    for (int r = 0; r < tile.rows; r++) {
      const T* const scores = tile.line(r);
      const int hits = kernels.above(tile.columns, scores, bias, bars[tile.row + r], found);
      for (int h = 0; h < hits; h++)
        meet(tile.row + r, tile.column + found[h], scores[found[h]] + bias[found[h]], kernels);
    }
  }

  // A tile of B A': its columns meet its rows.
  void columns_meet(const Tile<T>& tile, const Kernels<T>& kernels) {
    int found[PANEL * PANEL];
    const auto lock = bands.hold(tile.column);
    for (int r = 0; r < tile.rows; r++) {
      const T *const scores = tile.line(r), bias = B.bias[tile.row + r];
      const int hits = kernels.above_each(tile.columns, scores, bias, bars.get() + tile.column, found);
      for (int h = 0; h < hits; h++)
        meet(tile.column + found[h], tile.row + r, scores[found[h]] + bias, kernels);
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

// Settles all rows that have met all columns, and reopens some. judge(i, columns, sure) is called once for each
// row, from any thread, with every column that could be among its k best; the first `sure` of them are, without
// doubt. doubt_of(i) says how far a guess in the row can be from the definition, and prepare(tile, kernels) does
// to a tile what was done before Best met it.
template <class T, class Doubt, class Prepare, class Judge>
void settle(const Isa& isa, const Packed<T>& A, const Packed<T>& B, std::int64_t k, Best<T>& best,
            const Workers& workers, Doubt&& doubt_of, Prepare&& prepare, Judge&& judge) {
  constexpr std::int64_t ROWS_AT_ONCE = 64;
  constexpr std::int64_t BATCH = 960;  // rows reopened at once: bounds the memory that many ties can take
  std::vector<T> bars(A.n);
  std::vector<char> open(A.n);  // the list may miss a contested column
  parallel(workers, (A.n + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, [&](std::int64_t item) {
    std::vector<std::int64_t> contested;
    for (std::int64_t i = item * ROWS_AT_ONCE; i < std::min(A.n, (item + 1) * ROWS_AT_ONCE); i++) {
      if (best.count[i] > best.keep) best.drop_worse(i, isa.kernels(T()));
      Hit<T>* const list = best.list(i);
      const std::int64_t count = best.count[i];
      std::sort(list, list + count, [](const Hit<T>& a, const Hit<T>& b) { return a.score > b.score; });
      const double margin = 2 * doubt_of(i);
      bars[i] = static_cast<T>(list[k - 1].score - margin);
      open[i] = count < best.candidates && list[count - 1].score > bars[i];
      if (open[i]) continue;
      contested.clear();
      for (std::int64_t h = 0; h < count && (h < k || list[h].score > bars[i]); h++)
        contested.push_back(list[h].column);
      std::int64_t sure = 0;
      while (sure < k && (k == count || list[sure].score - margin > list[k].score)) sure++;
      judge(i, contested, sure);
    }
  });

  std::vector<std::int64_t> reopened;
  for (std::int64_t i = 0; i < A.n; i++)
    if (open[i]) reopened.push_back(i);
  for (std::size_t start = 0; start < reopened.size(); start += BATCH) {
    const std::vector<std::int64_t> rows(reopened.begin() + start,
                                         reopened.begin() + std::min(reopened.size(), start + BATCH));
    std::vector<T> row_bars;
    for (const std::int64_t i : rows) row_bars.push_back(bars[i]);
    Within<T> within(B, row_bars, best.bands.edge);
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
