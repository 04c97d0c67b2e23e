#include "permutations.hpp"

#include <cstring>
#include <numeric>

#include "isa.hpp"
#include "pack.hpp"

namespace consilience {

namespace {

constexpr std::int64_t AT_ONCE = 128;    // draws that share four rows while they are in the nearest cache
constexpr std::int64_t FEW = 32;         // and of many relations side by side
constexpr std::int64_t BLOCK = 2 << 20;  // bytes of rows that stay in the second cache
constexpr std::int64_t NARROW = 32;      // panels that are worth the way to a row
constexpr std::int64_t MANY = 32;        // pairs that take longer one by one than 16 x 16 side by side

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

// What is on the diagonal of each relation, one after the other: [relations][n].
template <class T> std::vector<SumOf<T>> diagonals(const std::vector<const T*>& relations, std::int64_t n) {
  std::vector<SumOf<T>> all;
  for (const T* A : relations)
    for (std::int64_t u = 0; u < n; u++) all.push_back(static_cast<SumOf<T>>(A[u * n + u]));
  return all;
}

template <class Sum>
Sum sum_of_diagonal(const Sum* a, const Sum* b, std::int64_t n, const std::uint16_t* places) {
  Sum sum = 0;
  for (std::int64_t u = 0; u < n; u++) sum += a[u] * b[places[u]];
  return sum;
}

// --- pair by pair -------------------------------------------------------------------------------------------

// What is above the diagonal of a matrix, in blocks of columns that the second cache holds. A row of a block is
// there if it has something; it is zero up to and on the diagonal, and beyond the last column.
template <class T> struct Upper {
  std::int64_t n, width;             // of a block
  std::vector<std::int64_t> before;  // numbers in the blocks before
  Buffer<T> values;

  Upper(const T* A, std::int64_t n) : n(n) {
    const std::int64_t fitting = BLOCK / static_cast<std::int64_t>(n * sizeof(T) * PANEL);
    width = PANEL * std::min(std::max(fitting, NARROW), panels_of(n));
    before.push_back(0);
    for (std::int64_t first = 0; first < n; first += width)
      before.push_back(before.back() + rows(first) * width);
    values = Buffer<T>(before.back());
    std::fill(values.get(), values.get() + before.back(), T(0));
    for (std::int64_t first = 0; first < n; first += width)
      for (std::int64_t u = 0; u < rows(first); u++)
        for (std::int64_t v = std::max(first, u + 1); v < std::min(first + width, n); v++)
          values[before[first / width] + u * width + v - first] = A[u * n + v];
  }
  std::int64_t rows(std::int64_t first) const { return std::min(first + width, n) - 1; }

  // Where column 0 of row u would be, in the block from column `first` on.
  const T* row(std::int64_t first, std::int64_t u) const {
    return values.get() + before[first / width] + u * width - first;
  }
};

// In each draw a row of B meets another row of A. Four rows of B stay in the nearest cache for all draws.
template <class T>
void add_pair(const Isa& isa, const Upper<T>& A, const T* B, const Batch& batch, std::int64_t count,
              SumOf<T>* sums) {
  const auto& picks = isa.picks.of(T());
  const std::int64_t n = A.n;
  const std::vector<T> zeros(n + A.width);
  const Buffer<T> four(n * PICKED_ROWS);
  for (std::int64_t begin = 0; begin < n; begin += A.width) {
    const std::int64_t end = begin + std::min(A.width, panels_of(n - begin) * PANEL);
    for (std::int64_t r = 0; r < n; r += PICKED_ROWS) {
      const T* rows[PICKED_ROWS];
      for (int k = 0; k < PICKED_ROWS; k++) rows[k] = r + k < n ? B + (r + k) * n : zeros.data();
      picks.side_by_side(rows, n, four.get());
      for (std::int64_t d = 0; d < count; d++) {
        std::int64_t first = n;
        for (int k = 0; k < PICKED_ROWS; k++) {
          const std::int64_t u = r + k < n ? batch.row(d, r + k) : n;
          rows[k] = u < A.rows(begin) ? A.row(begin, u) : zeros.data();
          first = std::min(first, u);
        }
        if (first < A.rows(begin))
          picks.add(rows, four.get(), batch.places_of(d), std::max(begin, (first + 1) / 8 * 8), end,
                    sums + d * PICKED_SUMS);
      }
    }
  }
}

template <class T>
void pair_by_pair(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                  const Orders& orders, const Workers& workers, SumOf<T>* products) {
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  const std::vector<SumOf<T>> of_a = diagonals(a, n), of_b = diagonals(b, n);
  std::vector<Upper<T>> upper;
  for (const T* A : a) upper.emplace_back(A, n);
  for_draws(orders, 0.5 * n * n * pairs, AT_ONCE, workers, [&](std::int64_t start, std::int64_t count) {
    const Batch batch(orders, start, count);
    for (std::size_t i = 0; i < a.size(); i++)
      for (std::size_t j = 0; j < b.size(); j++) {
        SumOf<T> sums[AT_ONCE * PICKED_SUMS] = {};
        add_pair(isa, upper[i], b[j], batch, count, sums);
        for (std::int64_t d = 0; d < count; d++)
          products[(start + d) * pairs + i * b.size() + j] =
              2 * std::accumulate(sums + d * PICKED_SUMS, sums + (d + 1) * PICKED_SUMS, SumOf<T>(0)) +
              sum_of_diagonal(of_a.data() + i * n, of_b.data() + j * n, n, batch.places_of(d));
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
  const std::vector<double> of_a = diagonals(a, n), of_b = diagonals(b, n);
  const std::int64_t wide = B.panels * PANEL, block = PANEL * wide, all = A.panels * block;
  const auto multiply = isa.kernels(T()).multiply;
  for_draws(orders, 0.5 * n * n * all / PANEL, FEW, workers, [&](std::int64_t start, std::int64_t count) {
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
              2 * sums[d * all + i * wide + j] +
              sum_of_diagonal(of_a.data() + i * n, of_b.data() + j * n, n, batch.places_of(d));
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
