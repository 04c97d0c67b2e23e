// Every operation of the core, on every instruction set of this CPU, at awkward shapes and with several
// threads, over arrays that end where their memory ends. Built and run by test_sanitizers.py with the
// compiler's own watchmen: a read beyond an end, an overflow or a race stops the program.
#include <cstdio>
#include <random>

#include "cross_correlation.hpp"
#include "dissimilarities.hpp"
#include "graph_sums.hpp"
#include "isa.hpp"
#include "kernel_sums.hpp"
#include "layer_sums.hpp"
#include "neighbors.hpp"
#include "rank_correlation.hpp"
#include "relation_sums.hpp"
#include "permutations.hpp"

using namespace consilience;

namespace {

template <class T> std::vector<T> random_rows(std::int64_t n, std::int64_t d, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(3, 1);
  std::vector<T> rows(n * d);
  for (T& value : rows) value = static_cast<T>(normal(generator));
  for (std::int64_t t = 0; t < d; t++) rows[t] = rows[(n - 1) * d + t];  // a tie
  return rows;
}

template <class T> View view_of(const std::vector<T>& rows, std::int64_t n, std::int64_t d) {
  return View{rows.data(), sizeof(T) == 4 ? Type::f32 : Type::f64, n, d, d, 1};
}

template <class T> void all_operations(const Isa& isa, std::int64_t n, std::int64_t d, int threads) {
  const Workers workers{threads, [](double) {}};
  const std::vector<T> x = random_rows<T>(n, d, 1), y = random_rows<T>(n, d + 1, 2), z = random_rows<T>(n / 2, d, 3);
  const View X = view_of(x, n, d), Y = view_of(y, n, d + 1), Z = view_of(z, n / 2, d);
  for (const Similarity similarity : {Similarity::cosine, Similarity::dot, Similarity::euclidean})
    for (const std::int64_t k : {std::int64_t(1), n / 3, n - 1}) {
      std::vector<std::int64_t> indices(n * k);
      std::vector<double> similarities(n * k);
      Ties ties;
      neighbors<T>(isa, X, nullptr, k, similarity, workers, indices.data(), similarities.data(), &ties);
      std::vector<std::int64_t> mutual(n), transitive(n), cyclic(n);
      if (k < n - 1) graph_sums(indices.data(), n, k, workers, {mutual.data(), transitive.data(), cyclic.data()});
      if (k <= n / 2) neighbors<T>(isa, X, &Z, k, similarity, workers, indices.data(), similarities.data(), nullptr);
    }
  for (const Kernel kernel : {Kernel::linear, Kernel::cosine, Kernel::gaussian, Kernel::laplacian}) {
    if (kernel == Kernel::cosine && d == 1) continue;  // one unit has one direction
    std::vector<double> products(3), k_rows(n), l_rows(n), k_diagonal(n), l_diagonal(n);
    const Spread spread{median_distance(isa, X, workers), median_distance(isa, Y, workers), 0.5};
    const std::vector<View> layers{X, Y, Y, X, Y, X};
    std::vector<double> spreads, pairs(36), rows(6 * n), diagonals(6 * n);
    for (const View& layer : layers) spreads.push_back(layer.d == d ? spread.of_X : spread.of_Y);
    std::vector<Arithmetic> arithmetics{sizeof(T) == 8 ? Arithmetic::in_double : Arithmetic::in_float};
    if (isa.tiles16) arithmetics.push_back(Arithmetic::split);
    for (const Arithmetic arithmetic : arithmetics) {
      kernel_sums(isa, X, Y, kernel, spread, arithmetic, workers,
                  {products.data(), k_rows.data(), l_rows.data(), k_diagonal.data(), l_diagonal.data()});
      layer_sums(isa, layers, kernel, spreads, 0.5, arithmetic, workers,
                 {pairs.data(), rows.data(), diagonals.data()});
    }
  }
  for (const Dissimilarity dissimilarity : {Dissimilarity::correlation, Dissimilarity::cosine,
                                            Dissimilarity::euclidean, Dissimilarity::squared_euclidean}) {
    if (dissimilarity == Dissimilarity::correlation && d == 1) continue;  // one unit is constant
    std::vector<double> found(n * (n - 1) / 2);
    dissimilarities(isa, X, dissimilarity, workers, found.data());
  }
  const std::vector<double> terms = random_rows<double>(3, n, 4);
  double sums[RELATION_SUMS];
  relation_sums(isa, X, Y, {&terms[0], &terms[n], &terms[2 * n]}, sizeof(T) == 8, workers, sums);
  if (d < 4) return;  // too few points in time
  const std::vector<T> v = random_rows<T>(n - 2, d, 4);
  const View units{x.data(), X.type, d, n, 1, d}, voxels{v.data(), X.type, d, n - 2, 1, d};
  for (const Sign sign : {Sign::positive, Sign::negative, Sign::absolute})
    for (const std::int64_t k : {std::int64_t(1), n - 2}) {
      std::vector<std::int64_t> best_u(n * k), best_v((n - 2) * k), counts_u(n * 2), counts_v((n - 2) * 2);
      std::vector<double> r_u(n * k), r_v((n - 2) * k);
      cross_correlation<T>(isa, units, voxels, k, sign, {1e-7, 0.5}, workers,
                           {best_u.data(), r_u.data(), counts_u.data()},
                           {best_v.data(), r_v.data(), counts_v.data()});
    }
}

// Of few and of many different values, in one and in several items of work.
void rank_correlation(std::int64_t m, int levels) {
  const Workers workers{3, [](double) {}};
  std::mt19937 generator(4);
  std::vector<double> x(m), y(m);
  for (auto* values : {&x, &y})
    for (double& value : *values) value = static_cast<double>(generator() % levels) - levels / 2;
  std::vector<std::int32_t> small(m);
  std::vector<std::int64_t> large(m);
  ranks(x.data(), m, workers, small.data());
  ranks(x.data(), m, workers, large.data());
  count_pairs(x.data(), y.data(), m, workers);
}

// Pair by pair and side by side, drawn and given; then the same matrix as a graph with all edges.
template <class T> void permutations(const Isa& isa, std::int64_t n, std::size_t count_a, std::size_t count_b, int threads) {
  const Workers workers{threads, [](double) {}};
  const std::int64_t draws = 35;
  std::vector<T> matrix(n * n);
  std::vector<std::int32_t> stimuli(n), first(n), columns(n * n), given(draws * n);
  std::vector<std::int64_t> starts(n + 1), weights(n * n, 3);
  for (std::int64_t i = 0; i < n * n; i++) {
    matrix[i] = static_cast<T>(i / n + i % n);
    columns[i] = static_cast<std::int32_t>(i % n);
  }
  for (std::int64_t i = 0; i <= n; i++) starts[i] = i * n;
  for (std::int64_t i = 0; i < n; i++) stimuli[i] = static_cast<std::int32_t>(n - 1 - i);
  const Orders drawn{n, draws, nullptr, ~0ull, stimuli.data(), first.data()};
  for (std::int64_t d = 0; d < draws; d++) drawn.write(d, given.data() + d * n);
  const std::vector<const T*> a(count_a, matrix.data()), b(count_b, matrix.data());
  const std::vector<Graph<std::int64_t>> graphs(2, {starts.data(), columns.data(), weights.data()});
  for (const std::int32_t* source : {static_cast<const std::int32_t*>(nullptr), static_cast<const std::int32_t*>(given.data())}) {
    const Orders orders{n, draws, source, 7, stimuli.data(), first.data()};
    std::vector<SumOf<T>> sums(draws * count_a * count_b);
    permuted_products(isa, a, b, orders, workers, sums.data());
    std::vector<std::int64_t> counts(draws * 4);
    permuted_products(graphs, graphs, orders, workers, counts.data());
  }
}

}  // namespace

int main() {
  for (const Isa* isa : available_isas())
    for (const std::int64_t n : {4, 17, 251})
      for (const std::int64_t d : {1, 7, 40}) {
        all_operations<float>(*isa, n, d, 3);
        all_operations<double>(*isa, n, d, 3);
      }
  for (const std::int64_t m : {2, 17, 1000, 300000})
    for (const int levels : {1, 3, 1 << 30}) rank_correlation(m, levels);
  for (const Isa* isa : available_isas())
    for (const std::int64_t n : {1, 4, 33}) {
      permutations<std::int32_t>(*isa, n, 2, 1, 3);
      permutations<float>(*isa, n, 2, 1, 3);
      permutations<double>(*isa, n, 17, 4, 3);
    }
  std::puts("clean");
}
