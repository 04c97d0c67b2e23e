#include "permutations.hpp"

#include <cstring>

#include "isa.hpp"
#include "pack.hpp"

namespace consilience {

namespace {

constexpr std::int64_t AT_ONCE = 32;       // draws that share a row while it is in the nearest cache
constexpr std::int64_t BLOCK = 128 << 10;  // bytes of rows that stay in the second cache
constexpr std::int64_t MANY = 32;          // pairs that take longer one by one than 16 x 16 side by side

std::int64_t panels_of(std::int64_t count) { return (count + PANEL - 1) / PANEL; }

// Some draws, as the loops want them: for each, the places p(v) in sixteen bits, with zeros up to a whole panel;
// and its rows, the u with p(u) = r.
struct Batch {
  std::int64_t n, width;
  std::vector<std::uint16_t> places;
  std::vector<std::int32_t> rows;

  Batch(const Orders& orders, std::int64_t start, std::int64_t count)
      : n(orders.n), width(n + PANEL), places(count * width), rows(count * n) {
    std::vector<std::int32_t> order(n);
    for (std::int64_t d = 0; d < count; d++) {
      orders.write(start + d, order.data());
      for (std::int64_t v = 0; v < n; v++) {
        places[d * width + v] = static_cast<std::uint16_t>(order[v]);
        rows[d * n + order[v]] = static_cast<std::int32_t>(v);
      }
    }
  }
  const std::uint16_t* places_of(std::int64_t d) const { return places.data() + d * width; }
  std::int64_t row(std::int64_t d, std::int64_t r) const { return rows[d * n + r]; }
};

// The sum over the diagonal.
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

// In each draw a row of B meets another row of A. Rows of B come in blocks that stay in cache for all draws.
template <class T>
void add_pair(const Isa& isa, const Upper<T>& A, const T* B, const Batch& batch, std::int64_t count,
              SumOf<T>* sums) {
  const auto sum_of_picked = isa.picks.of(T());
  const std::int64_t n = A.n, rows = std::max<std::int64_t>(1, BLOCK / (n * sizeof(T)));
  for (std::int64_t first = 0; first < n; first += rows)
    for (std::int64_t d = 0; d < count; d++)
      for (std::int64_t r = first; r < std::min(first + rows, n); r++) {
        const std::int64_t u = batch.row(d, r);
        sums[d] += sum_of_picked(A.row(u), B + r * n, batch.places_of(d) + u + 1, A.length(u));
      }
}

template <class T>
void pair_by_pair(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                  const Orders& orders, const Workers& workers, SumOf<T>* products) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  std::vector<Upper<T>> upper;
  for (const T* A : a) upper.emplace_back(A, n);
  for_draws(orders, 0.5 * n * n * pairs, AT_ONCE, workers, [&](std::int64_t start, std::int64_t count) {
    const Batch batch(orders, start, count);
    for (std::size_t i = 0; i < a.size(); i++)
      for (std::size_t j = 0; j < b.size(); j++) {
        SumOf<T> sums[AT_ONCE] = {};
        add_pair(isa, upper[i], b[j], batch, count, sums);
        for (std::int64_t d = 0; d < count; d++)
          products[(start + d) * pairs + i * b.size() + j] =
              2 * sums[d] + diagonal(a[i], b[j], n, batch.places_of(d));
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

// Where `to` is [panels][depth][16]: some entries of row r, by their places.
template <class T>
void pick(const Stack<T>& B, std::int64_t n, std::int64_t r, const std::uint16_t* places, std::int64_t depth,
          T* to) {
  for (std::int64_t panel = 0; panel < B.panels; panel++)
    for (std::int64_t v = 0; v < depth; v++, to += PANEL)
      std::memcpy(to, B.at(panel, r * n + places[v]), PANEL * sizeof(T));
}

// Up to DEPTH products are summed in T, by the matrix product; then float64 takes over.
template <class T>
void side_by_side(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                  const Orders& orders, const Workers& workers, double* products) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  const Stack<T> A(a, n, true), B(b, n, false);
  const std::int64_t wide = B.panels * PANEL, block = PANEL * wide, all = A.panels * block;
  const auto multiply = isa.kernels(T()).multiply;
  for_draws(orders, 0.5 * n * n * all / PANEL, AT_ONCE, workers, [&](std::int64_t start, std::int64_t count) {
    const Batch batch(orders, start, count);
    std::vector<double> sums(count * all);
    const Buffer<T> picked(DEPTH * wide), tile(block);
    for (std::int64_t r = 0; r < n; r++)
      for (std::int64_t d = 0; d < count; d++) {
        const std::int64_t u = batch.row(d, r), above = u * (2 * n - u - 1) / 2 - (u + 1);
        for (std::int64_t first = u + 1; first < n; first += DEPTH) {
          const std::int64_t depth = std::min<std::int64_t>(DEPTH, n - first);
          pick(B, n, r, batch.places_of(d) + first, depth, picked.get());
          for (std::int64_t panel = 0; panel < A.panels; panel++) {
            multiply(1, B.panels, depth, A.at(panel, above + first), picked.get(), tile.get(), wide);
            double* const to = sums.data() + d * all + panel * block;
            for (std::int64_t s = 0; s < block; s++) to[s] += tile[s];
          }
        }
      }
    for (std::int64_t d = 0; d < count; d++)
      for (std::size_t i = 0; i < a.size(); i++)
        for (std::size_t j = 0; j < b.size(); j++)
          products[(start + d) * pairs + i * b.size() + j] =
              2 * sums[d * all + i * wide + j] + diagonal(a[i], b[j], n, batch.places_of(d));
  });
}

}  // namespace

template <class T>
void permuted_products(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                       const Orders& orders, const Workers& workers, SumOf<T>* products) {
  if constexpr (!std::is_integral_v<T>)
    if (static_cast<std::int64_t>(a.size() * b.size()) > MANY * panels_of(a.size()) * panels_of(b.size()))
      return side_by_side(isa, a, b, orders, workers, products);
  pair_by_pair(isa, a, b, orders, workers, products);
}

template void permuted_products(const Isa&, const std::vector<const float*>&,
                                const std::vector<const float*>&, const Orders&, const Workers&, double*);
template void permuted_products(const Isa&, const std::vector<const double*>&,
                                const std::vector<const double*>&, const Orders&, const Workers&, double*);
template void permuted_products(const Isa&, const std::vector<const std::int32_t*>&,
                                const std::vector<const std::int32_t*>&, const Orders&, const Workers&,
                                std::int64_t*);

}  // namespace consilience
