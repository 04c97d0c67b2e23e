// The same for graphs: not n² products a draw, but a look-up for each edge.
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

}  // namespace

template <class T>
void permuted_products(const std::vector<Graph<T>>& a, const std::vector<Graph<T>>& b, const Orders& orders,
                       const Workers& workers, SumOf<T>* products) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  double edges = n;
  for (const Graph<T>& B : b) edges += B.starts[n] * a.size();
  const std::int64_t most = std::clamp<std::int64_t>(IN_CACHE / n, 1, AT_ONCE);
  for_draws(orders, edges, most, workers, [&](std::int64_t start, std::int64_t count) {
    std::vector<std::int32_t> order(count * n), place(count * n);
    for (std::int64_t d = 0; d < count; d++) {
      orders.write(start + d, order.data() + d * n);
      for (std::int64_t v = 0; v < n; v++) place[d * n + order[d * n + v]] = static_cast<std::int32_t>(v);
    }
    std::fill(products + start * pairs, products + (start + count) * pairs, 0);
    Spread<T> row(n);
    for (std::int64_t u = 0; u < n; u++) {
      row.fill(a, u);
      for (std::int64_t d = 0; d < count; d++) {
        const std::int64_t other = order[d * n + u];
        for (std::size_t j = 0; j < b.size(); j++)
          for (std::int64_t e = b[j].starts[other]; e < b[j].starts[other + 1]; e++) {
            const std::int32_t found = row.has[place[d * n + b[j].columns[e]]];
            if (!found) continue;
            for (std::size_t i = 0; i < a.size(); i++)
              products[(start + d) * pairs + i * b.size() + j] +=
                  row.weights[(found - 1) * a.size() + i] * b[j].weights[e];
          }
      }
    }
  });
}

template void permuted_products(const std::vector<Graph<double>>&, const std::vector<Graph<double>>&,
                                const Orders&, const Workers&, double*);
template void permuted_products(const std::vector<Graph<std::int64_t>>&,
                                const std::vector<Graph<std::int64_t>>&, const Orders&, const Workers&,
                                std::int64_t*);

}  // namespace consilience
