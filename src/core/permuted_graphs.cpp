// The same for graphs: not n² products a draw, but a look-up for each edge.
#include <numeric>

#include "permutations.hpp"

namespace consilience {

namespace {

constexpr std::int64_t AT_ONCE = 32;        // draws that share a row of A while it is spread out
constexpr std::int64_t IN_CACHE = 1 << 18;  // places that the second cache holds

// One row of all graphs in `a`, spread out: has[v] is 0 where none has an edge to v; else it counts, from 1, the
// columns that have, and weights[has[v] - 1] are those of all graphs.
template <class T> struct Spread {
  std::vector<std::int32_t> has, columns;
  std::vector<T> weights;

  explicit Spread(std::int64_t n) : has(n) {}

  void fill(const std::vector<Graph<T>>& graphs, std::int64_t row) {
    for (const std::int32_t v : columns) has[v] = 0;
    columns.clear();
    weights.clear();
    for (std::size_t i = 0; i < graphs.size(); i++)
      for (std::int64_t e = graphs[i].starts[row]; e < graphs[i].starts[row + 1]; e++) {
        const std::int32_t v = graphs[i].columns[e];
        if (!has[v]) {
          columns.push_back(v);
          weights.resize(columns.size() * graphs.size());
          has[v] = static_cast<std::int32_t>(columns.size());
        }
        weights[(has[v] - 1) * graphs.size() + i] += graphs[i].weights[e];
      }
  }
};

// Calls f(d, j, u, v, of_a, of_b) for every edge (u, v) that B_j has in draw `start + d` and some A has: of_a are
// the weights that all of `a` have there, 0 where one has none; of_b is that of B_j.
template <class T, class F>
void for_common_edges(const std::vector<Graph<T>>& a, const std::vector<Graph<T>>& b, const Orders& orders,
                      std::int64_t start, std::int64_t count, F&& f) {
  const std::int64_t n = orders.n;
  std::vector<std::int32_t> order(count * n), place(count * n);
  for (std::int64_t d = 0; d < count; d++) {
    orders.write(start + d, order.data() + d * n);
    for (std::int64_t v = 0; v < n; v++) place[d * n + order[d * n + v]] = static_cast<std::int32_t>(v);
  }
  Spread<T> row(n);
  for (std::int64_t u = 0; u < n; u++) {
    row.fill(a, u);
    for (std::int64_t d = 0; d < count; d++) {
      const std::int64_t other = order[d * n + u];
      for (std::size_t j = 0; j < b.size(); j++)
        for (std::int64_t e = b[j].starts[other]; e < b[j].starts[other + 1]; e++) {
          const std::int32_t v = place[d * n + b[j].columns[e]], found = row.has[v];
          if (found) f(d, j, u, v, row.weights.data() + (found - 1) * a.size(), b[j].weights[e]);
        }
    }
  }
}

// How many products a draw takes at most.
template <class T> double products_of(const std::vector<Graph<T>>& a, const std::vector<Graph<T>>& b,
                                      std::int64_t n) {
  double edges = n;
  for (const Graph<T>& B : b) edges += B.starts[n] * a.size();
  return edges;
}

}  // namespace

template <class T>
void permuted_products(const std::vector<Graph<T>>& a, const std::vector<Graph<T>>& b, const Orders& orders,
                       const Workers& workers, SumOf<T>* products) {
  const std::int64_t pairs = a.size() * b.size();
  const std::int64_t most = std::clamp<std::int64_t>(IN_CACHE / orders.n, 1, AT_ONCE);
  for_draws(orders, products_of(a, b, orders.n), most, workers, [&](std::int64_t start, std::int64_t count) {
    SumOf<T>* const sums = products + start * pairs;
    std::fill(sums, sums + count * pairs, 0);
    for_common_edges(a, b, orders, start, count,
                     [&](std::int64_t d, std::size_t j, std::int64_t, std::int64_t, const T* of_a, T of_b) {
                       for (std::size_t i = 0; i < a.size(); i++)
                         sums[d * pairs + i * b.size() + j] += of_a[i] * of_b;
                     });
  });
}

void permuted_hsic(const std::vector<Graph<KernelEdge>>& a, const std::vector<Graph<KernelEdge>>& b,
                   const Orders& orders, const Workers& workers, double* hsic) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  for_draws(orders, products_of(a, b, n), 1, workers, [&](std::int64_t draw, std::int64_t) {
    std::vector<double> into_k(pairs * n), out_of_l(pairs * n), products(pairs);
    for_common_edges(a, b, orders, draw, 1,
                     [&](std::int64_t, std::size_t j, std::int64_t u, std::int64_t v, const KernelEdge* of_a,
                         const KernelEdge& of_b) {
                       for (std::size_t i = 0; i < a.size(); i++) {
                         const std::int64_t pair = i * b.size() + j;
                         into_k[pair * n + v] += of_a[i].value * of_b.weight;
                         out_of_l[pair * n + u] += of_a[i].weight * of_b.value;
                         products[pair] += of_a[i].mutual * of_b.mutual;
                       }
                     });
    for (std::int64_t pair = 0; pair < pairs; pair++) {
      const double *const k = into_k.data() + pair * n, *const l = out_of_l.data() + pair * n;
      double k_sum = 0, l_sum = 0, rows = 0;
      for (std::int64_t v = 0; v < n; v++) {
        k_sum += k[v];
        l_sum += l[v];
        rows += k[v] * l[v];
      }
      hsic[draw * pairs + pair] =
          products[pair] + k_sum * l_sum / ((n - 1.0) * (n - 2.0)) - 2 * rows / (n - 2.0);
    }
  });
}

void permuted_best_edges(const std::vector<Graph<double>>& a, const std::vector<Graph<double>>& b,
                         const Orders& orders, const Workers& workers, double* sums) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  for_draws(orders, products_of(a, b, n), 1, workers, [&](std::int64_t draw, std::int64_t) {
    std::vector<double> best(pairs * n);
    for_common_edges(
        a, b, orders, draw, 1,
        [&](std::int64_t, std::size_t j, std::int64_t u, std::int64_t, const double* of_a, double of_b) {
          for (std::size_t i = 0; i < a.size(); i++) {
            double& of_row = best[(i * b.size() + j) * n + u];
            of_row = std::max(of_row, of_a[i] * of_b);
          }
        });
    for (std::int64_t pair = 0; pair < pairs; pair++)
      sums[draw * pairs + pair] =
          std::accumulate(best.begin() + pair * n, best.begin() + (pair + 1) * n, 0.0);
  });
}

template void permuted_products(const std::vector<Graph<double>>&, const std::vector<Graph<double>>&,
                                const Orders&, const Workers&, double*);
template void permuted_products(const std::vector<Graph<std::int64_t>>&,
                                const std::vector<Graph<std::int64_t>>&, const Orders&, const Workers&,
                                std::int64_t*);

}  // namespace consilience
