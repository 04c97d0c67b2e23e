#include "permutations.hpp"

#include <cstring>

#include "isa.hpp"
#include "pack.hpp"

namespace consilience {

namespace {

constexpr std::int64_t AT_ONCE = 32;           // draws that share a row while it is in the nearest cache
constexpr std::int64_t BLOCK = 128 << 10;      // bytes of rows that stay in the second cache
constexpr std::int64_t MANY = 32;          // pairs that take longer one by one than 16 x 16 side by side

std::int64_t panels_of(std::int64_t count) { return (count + PANEL - 1) / PANEL; }

// Some orders, as the loops want them: in each, the place that v takes, in sixteen bits, with zeros up to a
// whole panel; and the row u whose place is a.
struct Batch {
  std::int64_t first, count, width;
  std::vector<std::uint16_t> places;
  std::vector<std::int32_t> rows;

  Batch(const Orders& orders, std::int64_t first, std::int64_t count)
      : first(first),
        count(count),
        width(orders.n + PANEL),
        places(count * width),
        rows(count * orders.n) {
    std::vector<std::int32_t> order(orders.n);
    for (std::int64_t b = 0; b < count; b++) {
      orders.write(first + b, order.data());
      for (std::int64_t v = 0; v < orders.n; v++) {
        places[b * width + v] = static_cast<std::uint16_t>(order[v]);
        rows[b * orders.n + order[v]] = static_cast<std::int32_t>(v);
      }
    }
  }
  const std::uint16_t* of(std::int64_t b) const { return places.data() + b * width; }
};

// Each order's sum over the diagonal.
template <class T>
SumOf<T> diagonal(const T* A, const T* B, std::int64_t n, const std::uint16_t* places) {
  SumOf<T> sum = 0;
  for (std::int64_t u = 0; u < n; u++)
    sum += static_cast<SumOf<T>>(A[u * n + u]) * static_cast<SumOf<T>>(B[places[u] * n + places[u]]);
  return sum;
}

// --- pair by pair -------------------------------------------------------------------------------------------

// What is above the diagonal of a matrix, row by row, each with zeros up to a whole panel.
template <class T> struct Upper {
  std::int64_t n;
  std::vector<std::int64_t> starts;
  Buffer<T> values;

  Upper(const T* A, std::int64_t n) : n(n), starts(n + 1) {
    for (std::int64_t u = 0; u < n; u++) starts[u + 1] = starts[u] + panels_of(n - 1 - u) * PANEL;
    values = Buffer<T>(starts[n]);
    for (std::int64_t u = 0; u < n; u++) {
      T* const end = std::copy(A + u * n + u + 1, A + (u + 1) * n, row(u));
      std::fill(end, row(u + 1), T(0));
    }
  }
  T* row(std::int64_t u) const { return values.get() + starts[u]; }
  std::int64_t length(std::int64_t u) const { return starts[u + 1] - starts[u]; }
};

// A row of B meets a row of A in each draw, another one each time; rows of B are taken in blocks that stay in cache.
template <class T>
void add_pair(const Isa& isa, const Upper<T>& A, const T* B, const Batch& batch, SumOf<T>* sums) {
  const auto sum_of_picked = isa.picks->of(T());
  const std::int64_t n = A.n, rows = std::max<std::int64_t>(1, BLOCK / (n * sizeof(T)));
  for (std::int64_t first = 0; first < n; first += rows)
    for (std::int64_t b = 0; b < batch.count; b++)
      for (std::int64_t row = first; row < std::min(first + rows, n); row++) {
        const std::int64_t u = batch.rows[b * n + row];
        sums[b] += sum_of_picked(A.row(u), B + row * n, batch.of(b) + u + 1, A.length(u));
      }
}

template <class T>
void pair_by_pair(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b, const Orders& orders,
                  const Workers& workers, SumOf<T>* products) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  std::vector<Upper<T>> upper;
  for (const T* A : a) upper.emplace_back(A, n);
  for_draws(orders, 0.5 * n * n * pairs, AT_ONCE, workers, [&](std::int64_t start, std::int64_t count) {
    const Batch batch(orders, start, count);
    for (std::size_t i = 0; i < a.size(); i++)
      for (std::size_t j = 0; j < b.size(); j++) {
        SumOf<T> sums[AT_ONCE] = {};
        add_pair(isa, upper[i], b[j], batch, sums);
        for (std::int64_t d = 0; d < batch.count; d++)
          products[(batch.first + d) * pairs + i * b.size() + j] =
              2 * sums[d] + diagonal(a[i], b[j], n, batch.of(d));
      }
  });
}

// --- side by side -------------------------------------------------------------------------------------------

// Sixteen relations side by side: [panels][entries][16]. One load picks an entry of them all, and the products
// of all pairs are the core's own matrix product.
template <class T> struct Stack {
  std::int64_t panels, entries;
  Buffer<T> values;

  Stack(const std::vector<const T*>& relations, std::int64_t n, bool above_diagonal)
      : panels(panels_of(relations.size())),
        entries(above_diagonal ? n * (n - 1) / 2 : n * n),
        values(panels * entries * PANEL) {
    std::fill(values.get(), values.get() + panels * entries * PANEL, T(0));
    for (std::size_t l = 0; l < relations.size(); l++) {
      T* to = at(l / PANEL, 0) + l % PANEL;
      for (std::int64_t u = 0; u < n; u++)
        for (std::int64_t v = above_diagonal ? u + 1 : 0; v < n; v++, to += PANEL)
          *to = relations[l][u * n + v];
    }
  }
  T* at(std::int64_t panel, std::int64_t entry) const {
    return values.get() + (panel * entries + entry) * PANEL;
  }
};

template <class T>
void side_by_side(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                  const Orders& orders, const Workers& workers, double* products) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  const Stack<T> A(a, n, true), B(b, n, false);
  const std::int64_t wide = B.panels * PANEL, all = A.panels * PANEL * wide;
  const auto multiply = isa.kernels(T()).multiply;
  for_draws(orders, 0.5 * n * n * all / PANEL, AT_ONCE, workers, [&](std::int64_t start, std::int64_t count) {
    const Batch batch(orders, start, count);
    std::vector<double> sums(batch.count * all);
    const Buffer<T> picked(DEPTH * wide), tile(PANEL * wide);
    for (std::int64_t row = 0; row < n; row++)
      for (std::int64_t d = 0; d < batch.count; d++) {
        const std::int64_t u = batch.rows[d * n + row], entry = u * (2 * n - u - 1) / 2;
        for (std::int64_t first = u + 1; first < n; first += DEPTH) {
          const std::int64_t depth = std::min<std::int64_t>(DEPTH, n - first);
          for (std::int64_t g = 0; g < B.panels; g++)
            for (std::int64_t v = 0; v < depth; v++)
              std::memcpy(picked.get() + (g * depth + v) * PANEL, B.at(g, row * n + batch.of(d)[first + v]),
                          PANEL * sizeof(T));
          for (std::int64_t f = 0; f < A.panels; f++) {
            multiply(1, B.panels, depth, A.at(f, entry + first - u - 1), picked.get(), tile.get(), wide);
            double* const to = sums.data() + d * all + f * PANEL * wide;
            for (std::int64_t s = 0; s < PANEL * wide; s++) to[s] += tile[s];
          }
        }
      }
    for (std::int64_t d = 0; d < batch.count; d++)
      for (std::size_t i = 0; i < a.size(); i++)
        for (std::size_t j = 0; j < b.size(); j++)
          products[(batch.first + d) * pairs + i * b.size() + j] =
              2 * sums[d * all + i * wide + j] + diagonal(a[i], b[j], n, batch.of(d));
  });
}

}  // namespace

template <class T>
void permuted_products(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                       const Orders& orders, const Workers& workers, SumOf<T>* products) {
  if constexpr (!std::is_integral_v<T>)
    if (double(a.size()) * b.size() > MANY * panels_of(a.size()) * panels_of(b.size()))
      return side_by_side(isa, a, b, orders, workers, products);
  pair_by_pair(isa, a, b, orders, workers, products);
}

template void permuted_products(const Isa&, const std::vector<const float*>&, const std::vector<const float*>&,
                                const Orders&, const Workers&, double*);
template void permuted_products(const Isa&, const std::vector<const double*>&, const std::vector<const double*>&,
                                const Orders&, const Workers&, double*);
template void permuted_products(const Isa&, const std::vector<const std::int32_t*>&,
                                const std::vector<const std::int32_t*>&, const Orders&, const Workers&,
                                std::int64_t*);

}  // namespace consilience
