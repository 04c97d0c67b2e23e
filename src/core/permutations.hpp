// T = sum over u, v of A[u, v] B[p(u), p(v)], for many orders p and all pairs of relations (A, B) at once.
//
// The order is the same for all pairs, so that the largest of a draw is the maximum over pairs under chance.
#pragma once
#include <type_traits>
#include <vector>

#include "orders.hpp"
#include "workers.hpp"

namespace consilience {

struct Isa;

// float and double are added up in float64, whole numbers exactly.
template <class T> using SumOf = std::conditional_t<std::is_integral_v<T>, std::int64_t, double>;

// One relation as a sparse matrix: row u has columns[e] and weights[e] for starts[u] <= e < starts[u + 1].
template <class T> struct Graph {
  const std::int64_t* starts;
  const std::int32_t* columns;
  const T* weights;
};

// Calls f(first, count) for all draws, a few at a time: no more than `most` or a thread's share, and no more work
// than a Ctrl-C can wait for, where each takes `products`. Sums do not depend on which draws are taken together.
template <class F>
void for_draws(const Orders& orders, double products, std::int64_t most, const Workers& workers, F&& f) {
  const std::int64_t share = (orders.draws + workers.threads - 1) / workers.threads;
  const std::int64_t step = std::max<std::int64_t>(1, std::min({most, share, std::int64_t(5e8 / products)}));
  parallel(workers, (orders.draws + step - 1) / step,
           [&](std::int64_t item) { f(item * step, std::min(step, orders.draws - item * step)); });
}

constexpr std::int64_t MOST_IN_MATRIX = 65536;  // places are numbers of sixteen bits

// All n x n, row by row and symmetric; n at most MOST_IN_MATRIX. The sums go to [draws][a][b]. What is above the
// diagonal counts twice. Memory: half a copy of `a` and the rest of some columns; for many pairs of floats half a copy
// of `a` and one of `b`, both in steps of sixteen relations; and some draws for each thread. One thread adds up a draw,
// in an order that depends on n alone.
template <class T>
void permuted_products(const Isa& isa, const std::vector<const T*>& a, const std::vector<const T*>& b,
                       const Orders& orders, const Workers& workers, SumOf<T>* products);

// Directed or not, with a diagonal or without. Memory: a few draws, and a row of `a`, for each thread. One thread
// adds up a draw, in the order of the rows of a.
template <class T>
void permuted_products(const std::vector<Graph<T>>& a, const std::vector<Graph<T>>& b, const Orders& orders,
                       const Workers& workers, SumOf<T>* products);

// An edge of a graph of neighbours that carries a kernel: its weight w, the kernel's value times w, and that times
// the weight of the edge back.
struct KernelEdge {
  double weight, value, mutual;
  void operator+=(const KernelEdge& other) {
    weight += other.weight;
    value += other.value;
    mutual += other.mutual;
  }
};

// Unbiased HSIC, times n (n - 3), of the kernels K of A and L of B over the edges that both graphs have: with those
// alone, the sum over u, v of K[u, v] L[v, u], and what centring takes off. Memory: 16 n bytes a pair and thread.
void permuted_hsic(const std::vector<Graph<KernelEdge>>& a, const std::vector<Graph<KernelEdge>>& b,
                   const Orders& orders, const Workers& workers, double* hsic);

// Sums over rows of the largest product of two weights, none of them negative, over the edges that both graphs have.
// Memory: 8 n bytes a pair and thread.
void permuted_best_edges(const std::vector<Graph<double>>& a, const std::vector<Graph<double>>& b,
                         const Orders& orders, const Workers& workers, double* sums);

}  // namespace consilience
