#include "neighbors.hpp"

#include <limits>
#include <mutex>

namespace consilience {

namespace {

constexpr std::int64_t BATCH = 960;  // rows reopened at once: bounds the memory that many ties can take

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

// Keeps: for each row at least the `keep` best of the columns met so far, and the score that a newcomer must
// exceed. Memory: 2 keep hits a row; when a row's list is full, its worse half is dropped, at constant cost
// for each newcomer. Order: does not matter to what is settled, since the k best and every contested column
// survive each drop.
template <class T> struct Best {
  std::int64_t keep, room;
  bool exclude_self;
  std::vector<Hit<T>> hits;
  std::vector<std::int64_t> count;
  Buffer<T> bars;
  const Packed<T>& A;
  const Packed<T>& B;
  Bands bands;

  Best(const Packed<T>& A, const Packed<T>& B, std::int64_t keep, std::int64_t edge, bool exclude_self)
      : keep(keep),
        room(std::min(2 * keep, B.n)),
        exclude_self(exclude_self),
        hits(A.n * room),
        count(A.n),
        bars(A.panels * PANEL),
        A(A),
        B(B),
        bands(A.n, edge) {
    const T infinity = std::numeric_limits<T>::infinity();
    for (std::int64_t i = 0; i < A.panels * PANEL; i++) bars[i] = i < A.n ? -infinity : infinity;
  }

  Hit<T>* list(std::int64_t row) { return hits.data() + row * room; }

  void drop_worse(std::int64_t row) {
    Hit<T>* const all = list(row);
    std::nth_element(all, all + keep - 1, all + count[row],
                     [](const Hit<T>& a, const Hit<T>& b) { return a.score > b.score; });
    count[row] = keep;
    bars[row] = all[keep - 1].score;
  }

  void meet(std::int64_t row, std::int64_t column, T score) {
    if (!(score > bars[row]) || (exclude_self && row == column)) return;
    if (count[row] == room) {
      drop_worse(row);
      if (!(score > bars[row])) return;
    }
    list(row)[count[row]++] = {score, static_cast<std::int32_t>(column)};
  }

  void operator()(const Tile<T>& tile, const Kernels<T>& kernels) {
    int found[PANEL * PANEL];  // a tile is at most 240 columns wide
    {
      const auto lock = bands.hold(tile.row);
      const T* const bias = B.bias.get() + tile.column;
      for (int r = 0; r < tile.rows; r++) {
        const T* const scores = tile.scores + r * tile.stride;
        const int hits = kernels.above(tile.columns, scores, bias, bars[tile.row + r], found);
        for (int h = 0; h < hits; h++)
          meet(tile.row + r, tile.column + found[h], scores[found[h]] + bias[found[h]]);
      }
    }
    if (!tile.mirrored) return;
    const auto lock = bands.hold(tile.column);
    for (int r = 0; r < tile.rows; r++) {
      const T *const scores = tile.scores + r * tile.stride, bias = A.bias[tile.row + r];
      const int hits = kernels.above_each(tile.columns, scores, bias, bars.get() + tile.column, found);
      for (int h = 0; h < hits; h++) meet(tile.column + found[h], tile.row + r, scores[found[h]] + bias);
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

  void operator()(const Tile<T>& tile, const Kernels<T>& kernels) {
    int found[PANEL * PANEL];
    const auto lock = bands.hold(tile.row);
    for (int r = 0; r < tile.rows; r++) {
      const int hits = kernels.above(tile.columns, tile.scores + r * tile.stride, B.bias.get() + tile.column,
                                     bars[tile.row + r], found);
      for (int h = 0; h < hits; h++)
        columns[tile.row + r].push_back(static_cast<std::int32_t>(tile.column + found[h]));
    }
  }
};

struct Place {
  double value;
  std::int64_t column;
};

// Judges contested columns by the definition and writes the k nearest of them.
struct Judge {
  const View &X, &Y;
  const std::vector<double>&X2, &Y2;
  Similarity similarity;
  std::int64_t k;
  bool exclude_self;
  std::int64_t* indices;
  double* similarities;
  Ties* ties;
  std::mutex ties_lock;
  std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>> tied;  // row, and who shares its last place

  template <class Columns> void settle(std::int64_t i, const Columns& contested) {
    std::vector<double> row(X.d);
    read_row(X, i, row.data());
    std::vector<Place> places;
    for (const std::int64_t j : contested)
      if (!exclude_self || i != j)
        places.push_back(
            {similarity_of(similarity, sum_of_terms(similarity, row.data(), Y, j), X2[i], Y2[j]), j});
    std::partial_sort(places.begin(), places.begin() + k, places.end(), [](const Place& a, const Place& b) {
      return nearer(a.value, a.column, b.value, b.column);
    });
    for (std::int64_t p = 0; p < k; p++) {
      indices[i * k + p] = places[p].column;
      similarities[i * k + p] = places[p].value;
    }
    if (ties) note_ties(i, places);
  }

  void note_ties(std::int64_t i, const std::vector<Place>& places) {
    const double last = places[k - 1].value;
    std::vector<std::int64_t> columns;
    bool shared = false;  // with somebody who found no place
    for (std::size_t p = 0; p < places.size(); p++)
      if (places[p].value == last) {
        columns.push_back(places[p].column);
        shared |= p >= static_cast<std::size_t>(k);
      }
    if (!shared) return;
    std::sort(columns.begin(), columns.end());
    const std::lock_guard<std::mutex> lock(ties_lock);
    tied.emplace_back(i, std::move(columns));
  }

  void hand_over_ties() {
    if (!ties) return;
    std::sort(tied.begin(), tied.end());
    for (const auto& [row, columns] : tied) ties->add(row, columns);
  }
};

}  // namespace

template <class T>
void neighbors(const Isa& isa, const View& X, const View* others, std::int64_t k, Similarity similarity,
               const Workers& workers, std::int64_t* indices, double* similarities, Ties* ties) {
  const View& Y = others ? *others : X;
  const bool one_set = !others;

  // Pack. To guess, Euclidean rows are shifted by X's mean: no distance changes, and no digit is lost to it.
  const std::vector<double> shift =
      similarity == Similarity::euclidean ? means(X, workers) : std::vector<double>();
  const std::vector<double> X2 = squares(X, shift, workers);
  const std::vector<double> Y2 = one_set ? std::vector<double>() : squares(Y, shift, workers);
  const std::vector<double>& of_Y = one_set ? X2 : Y2;
  const double scale = scale_for(X2, of_Y, similarity);
  const Packed<T> A = pack<T>(X, similarity, shift, X2, scale, workers);
  const Packed<T> packed_others = one_set ? Packed<T>() : pack<T>(Y, similarity, shift, Y2, scale, workers);
  const Packed<T>& B = one_set ? A : packed_others;

  // Guess. The list is longer than k, so that the worst kept score usually lies below all contested ones.
  const std::int64_t candidates = Y.n - one_set, keep = list_length(k, candidates);
  const std::int64_t edge = isa.kernels(T()).tile;
  Best<T> best(A, B, keep, edge, one_set);
  for_tiles(isa, A, B, one_set, workers, best);

  // Settle, and remember the rows whose list may miss a contested column.
  Judge judge{X, Y, X2, of_Y, similarity, k, one_set, indices, similarities, ties, {}, {}};
  const double chain = static_cast<double>(std::min<std::int64_t>(X.d, DEPTH) + X.d / DEPTH);
  const double unit = std::numeric_limits<T>::epsilon() / 2;
  std::vector<T> bars(X.n);
  std::vector<char> open(X.n);
  const std::int64_t rows_at_once = 64;
  parallel(workers, (X.n + rows_at_once - 1) / rows_at_once, [&](std::int64_t item) {
    std::vector<std::int64_t> contested;
    for (std::int64_t i = item * rows_at_once; i < std::min(X.n, (item + 1) * rows_at_once); i++) {
      if (best.count[i] > keep) best.drop_worse(i);
      Hit<T>* const list = best.list(i);
      const std::int64_t count = best.count[i];
      std::sort(list, list + count, [](const Hit<T>& a, const Hit<T>& b) { return a.score > b.score; });
      bars[i] =
          static_cast<T>(list[k - 1].score -
                         2 * doubt(similarity, unit, chain, static_cast<double>(X.d), A.norms[i], B.longest));
      open[i] = count < candidates && list[count - 1].score > bars[i];
      if (open[i]) continue;
      contested.clear();
      for (std::int64_t h = 0; h < count && (h < k || list[h].score > bars[i]); h++)
        contested.push_back(list[h].column);
      judge.settle(i, contested);
    }
  });

  // Reopen those rows.
  std::vector<std::int64_t> reopened;
  for (std::int64_t i = 0; i < X.n; i++)
    if (open[i]) reopened.push_back(i);
  for (std::size_t start = 0; start < reopened.size(); start += BATCH) {
    const std::vector<std::int64_t> rows(reopened.begin() + start,
                                         reopened.begin() + std::min(reopened.size(), start + BATCH));
    std::vector<T> row_bars;
    for (const std::int64_t i : rows) row_bars.push_back(bars[i]);
    Within<T> within(B, row_bars, edge);
    for_tiles(isa, gather(A, rows), B, false, workers, within);
    parallel(workers, static_cast<std::int64_t>(rows.size()),
             [&](std::int64_t r) { judge.settle(rows[r], within.columns[r]); });
  }
  judge.hand_over_ties();
}

template void neighbors<float>(const Isa&, const View&, const View*, std::int64_t, Similarity, const Workers&,
                               std::int64_t*, double*, Ties*);
template void neighbors<double>(const Isa&, const View&, const View*, std::int64_t, Similarity,
                                const Workers&, std::int64_t*, double*, Ties*);

}  // namespace consilience
