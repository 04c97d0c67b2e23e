#include "neighbors.hpp"

#include <numeric>

#include "rounded.hpp"

namespace consilience {

namespace {

std::vector<std::int64_t> all_rows(std::int64_t n) {
  std::vector<std::int64_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

constexpr std::int64_t SPARE = 30;  // what a list holds beyond k: see list_length

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

// All rows of A meet all rows of B; each tile also stands for its mirror image where A is B.
template <class Rows, class T = typename Rows::Score>
void meet_all(const Isa& isa, const Rows& A, const Rows& B, bool symmetric, const Workers& workers,
              Best<T>& best) {
  const auto reducer = [&](const Tile<T>& tile, const Kernels<T>& kernels) {
    best.rows_meet(tile, kernels);
    if (tile.mirrored) best.columns_meet(tile, kernels);
  };
  for_tiles(isa, A, B, symmetric, workers, reducer);
}

// Guesses with rounded rows, settles what can be settled so, and returns the rows that are left open.
std::vector<std::int64_t> settle_rounded(const Isa& isa, const View& X, double scale, const Workers& workers,
                                         Judge& judge) {
  const Rounded A(isa, X, judge.similarity, judge.X2, scale, workers);
  Best<float> best(A, A, judge.k, list_length(judge.k, X.n - 1, SPARE), A.margins(judge.similarity),
                   edge_of(isa, A), all_rows(X.n));
  meet_all(isa, A, A, true, workers, best);
  std::vector<std::int64_t> left;
  for (const auto& open : settle_lists(
           best, workers,
           [&](std::int64_t i, const auto& columns, std::int64_t sure) { judge.settle(i, columns, sure); }))
    left.push_back(open.row);
  return left;
}

}  // namespace

template <class T>
void neighbors(const Isa& isa, const View& X, const View* others, std::int64_t k, Similarity similarity,
               const Workers& workers, std::int64_t* indices, double* similarities, Ties* ties) {
  const View& Y = others ? *others : X;
  const bool one_set = !others;

  // To guess, Euclidean rows are shifted by X's mean: no distance changes, and no digit is lost to it.
  const std::vector<double> shift =
      similarity == Similarity::euclidean ? means(X, workers) : std::vector<double>();
  const std::vector<double> X2 = squares(X, shift, workers);
  const std::vector<double> Y2 = one_set ? std::vector<double>() : squares(Y, shift, workers);
  const std::vector<double>& of_Y = one_set ? X2 : Y2;
  const double scale = scale_for(X2, of_Y, similarity);
  Judge judge{isa, X, Y, X2, of_Y, similarity, k, one_set, indices, similarities, ties, {}, {}};

  std::vector<std::int64_t> rows = all_rows(X.n);
  if (one_set && isa.tiles16 && std::is_same_v<T, float> && X.d >= STEP)
    rows = settle_rounded(isa, X, scale, workers, judge);
  if (rows.empty()) return judge.hand_over_ties();

  const bool all = static_cast<std::int64_t>(rows.size()) == X.n;
  const Packed<T> A = pack<T>(X, similarity, shift, X2, scale, workers);
  const Packed<T> packed_others = one_set ? Packed<T>() : pack<T>(Y, similarity, shift, Y2, scale, workers);
  const Packed<T> some = all ? Packed<T>() : gather(A, rows);
  const Packed<T>&B = one_set ? A : packed_others, &of_rows = all ? A : some;

  const double unit = std::numeric_limits<T>::epsilon() / 2, d = static_cast<double>(X.d);
  std::vector<double> margins;
  for (const double norm : of_rows.norms)
    margins.push_back(2 * doubt(similarity, unit, chain_length(X.d), d, norm, B.longest));
  Best<T> best(of_rows, B, k, list_length(k, Y.n - one_set, SPARE), std::move(margins), edge_of(isa, A),
               one_set ? rows : std::vector<std::int64_t>());
  meet_all(isa, of_rows, B, one_set && all, workers, best);

  const auto judge_row = [&](std::int64_t r, const auto& columns, std::int64_t sure) {
    judge.settle(rows[r], columns, sure);
  };
  const auto open = settle_lists(best, workers, judge_row);
  reopen(isa, of_rows, B, open, workers, [](const Tile<T>&, const Kernels<T>&) {}, judge_row);
  judge.hand_over_ties();
}

template void neighbors<float>(const Isa&, const View&, const View*, std::int64_t, Similarity, const Workers&,
                               std::int64_t*, double*, Ties*);
template void neighbors<double>(const Isa&, const View&, const View*, std::int64_t, Similarity,
                                const Workers&, std::int64_t*, double*, Ties*);

}  // namespace consilience
