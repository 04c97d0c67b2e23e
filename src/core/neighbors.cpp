#include "neighbors.hpp"

namespace consilience {

namespace {

struct Place {
  double value;
  std::int64_t column;
};

// Judges contested columns by the definition and writes the k nearest of them. Where nobody asks how near they are,
// those that are surely among them need no judgement, and come first.
struct Judge {
  const Isa& isa;
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

  template <class Columns> void settle(std::int64_t i, const Columns& contested, std::int64_t sure) {
    const std::int64_t known = similarities ? 0 : sure, open = k - known;
    std::copy(contested.begin(), contested.begin() + known, indices + i * k);
    if (open == 0) return;
    std::vector<double> row(X.d);
    read_row(X, i, row.data());
    std::vector<Place> places;
    for (auto j = contested.begin() + known; j != contested.end(); j++)
      if (!exclude_self || i != *j)
        places.push_back(
            {similarity_of(similarity, sum_of_terms(isa, similarity, row.data(), Y, *j), X2[i], Y2[*j]), *j});
    std::partial_sort(
        places.begin(), places.begin() + open, places.end(),
        [](const Place& a, const Place& b) { return nearer(a.value, a.column, b.value, b.column); });
    for (std::int64_t p = 0; p < open; p++) {
      indices[i * k + known + p] = places[p].column;
      if (similarities) similarities[i * k + p] = places[p].value;
    }
    if (ties) note_ties(i, places, open);
  }

  // Nobody outside is as near as one who is surely among the nearest, so only the others can tie.
  void note_ties(std::int64_t i, const std::vector<Place>& places, std::int64_t open) {
    const double last = places[open - 1].value;
    std::vector<std::int64_t> columns;
    bool shared = false;  // with somebody who found no place
    for (std::size_t p = 0; p < places.size(); p++)
      if (places[p].value == last) {
        columns.push_back(places[p].column);
        shared |= p >= static_cast<std::size_t>(open);
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

  Best<T> best(A, B, list_length(k, Y.n - one_set), isa.kernels(T()).tile, one_set);
  const auto reducer = [&](const Tile<T>& tile, const Kernels<T>& kernels) {
    best.rows_meet(tile, kernels);
    if (tile.mirrored) best.columns_meet(tile, kernels);
  };
  for_tiles(isa, A, B, one_set, workers, reducer);

  Judge judge{isa, X, Y, X2, of_Y, similarity, k, one_set, indices, similarities, ties, {}, {}};
  const double unit = std::numeric_limits<T>::epsilon() / 2, d = static_cast<double>(X.d);
  settle(
      isa, A, B, k, best, workers,
      [&](std::int64_t i) { return doubt(similarity, unit, chain_length(X.d), d, A.norms[i], B.longest); },
      [](const Tile<T>&, const Kernels<T>&) {},
      [&](std::int64_t i, const auto& contested, std::int64_t sure) { judge.settle(i, contested, sure); });
  judge.hand_over_ties();
}

template void neighbors<float>(const Isa&, const View&, const View*, std::int64_t, Similarity, const Workers&,
                               std::int64_t*, double*, Ties*);
template void neighbors<double>(const Isa&, const View&, const View*, std::int64_t, Similarity,
                                const Workers&, std::int64_t*, double*, Ties*);

}  // namespace consilience
