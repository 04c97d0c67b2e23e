// Orders and permuted products, from Python.
#include "../permutations.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/permutations.hpp"
#endif

namespace consilience {

namespace {

using Slots = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Given = nb::ndarray<const std::int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Source = std::tuple<std::uint64_t, Slots, Slots, std::optional<Given>>;  // seed, stimuli, first, given
using Drawn = nb::ndarray<std::int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using List = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrices = std::vector<nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig>>;
using Graphs = std::vector<std::tuple<List, List, List>>;  // starts, columns and weights
using Triples = nb::ndarray<const double, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;
using KernelGraphs = std::vector<std::tuple<List, List, Triples>>;  // starts, columns and edges
using Sums = nb::ndarray<double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Products = nb::ndarray<nb::ndim<3>, nb::c_contig, nb::device::cpu>;

template <class T, class Array> auto values(const Array& array) {
  if (array.dtype() != nb::dtype<T>()) throw nb::type_error("arrays of different dtypes");
  return static_cast<std::conditional_t<std::is_const_v<T>, const T, T>*>(array.data());
}

std::int64_t length(const List& list) { return static_cast<std::int64_t>(list.shape(0)); }

// Given orders must be permutations: they are checked where they come in, not here.
Orders orders_of(const Source& source, std::int64_t draws) {
  const auto& [seed, stimuli, first, given] = source;
  const std::int64_t n = static_cast<std::int64_t>(stimuli.shape(0));
  const bool fit = n > 0 && n < INT32_MAX && draws > 0 && first.shape(0) == stimuli.shape(0) &&
                   (!given || (static_cast<std::int64_t>(given->shape(0)) == draws &&
                               static_cast<std::int64_t>(given->shape(1)) == n));
  if (!fit) throw misfit();
  return {n, draws, given ? given->data() : nullptr, seed, stimuli.data(), first.data()};
}

template <class T> std::vector<const T*> matrices_of(const Matrices& matrices, std::int64_t n) {
  std::vector<const T*> found;
  for (const auto& one : matrices) {
    if (static_cast<std::int64_t>(one.shape(0)) != n || static_cast<std::int64_t>(one.shape(1)) != n)
      throw misfit();
    found.push_back(values<const T>(one));
  }
  return found;
}

template <class T> std::vector<Graph<T>> graphs_of(const Graphs& graphs, std::int64_t n) {
  std::vector<Graph<T>> found;
  for (const auto& [starts, columns, weights] : graphs) {
    const Graph<T> graph{values<const std::int64_t>(starts), values<const std::int32_t>(columns),
                         values<const T>(weights)};
    if (length(starts) != n + 1 || length(columns) != graph.starts[n] || length(weights) != graph.starts[n])
      throw misfit();
    found.push_back(graph);
  }
  return found;
}

void check_pairs(const Products& products, std::size_t a, std::size_t b) {
  if (a < 1 || b < 1 || products.shape(1) != a || products.shape(2) != b) throw misfit();
}

// Draws from `start` on.
void write_orders(Source source, std::int64_t start, Drawn drawn) {
  const Orders orders = orders_of(source, static_cast<std::int64_t>(drawn.shape(0)));
  if (start < 0 || static_cast<std::int64_t>(drawn.shape(1)) != orders.n) throw misfit();
  const nb::gil_scoped_release no_gil;
  for (std::int64_t d = 0; d < orders.draws; d++) orders.write(start + d, drawn.data() + d * orders.n);
}

template <class T>
void permute_matrices(const Matrices& a, const Matrices& b, const Source& source, Products& products,
                      const std::string& isa_name, int threads, const nb::object& tell) {
  const Isa& isa = isa_named(isa_name);
  const Orders orders = orders_of(source, static_cast<std::int64_t>(products.shape(0)));
  if (orders.n > MOST_IN_MATRIX) throw misfit();
  const std::vector<const T*> as = matrices_of<T>(a, orders.n), bs = matrices_of<T>(b, orders.n);
  SumOf<T>* const sums = values<SumOf<T>>(products);
  const nb::gil_scoped_release no_gil;
  permuted_products(isa, as, bs, orders, {threads, listener(tell)}, sums);
}

template <class T>
void permute_graphs(const Graphs& a, const Graphs& b, const Source& source, Products& products, int threads,
                    const nb::object& tell) {
  const Orders orders = orders_of(source, static_cast<std::int64_t>(products.shape(0)));
  const std::vector<Graph<T>> as = graphs_of<T>(a, orders.n), bs = graphs_of<T>(b, orders.n);
  SumOf<T>* const sums = values<SumOf<T>>(products);
  const nb::gil_scoped_release no_gil;
  permuted_products(as, bs, orders, {threads, listener(tell)}, sums);
}

void permuted_matrices_on_cpu(Matrices a, Matrices b, Source source, Products products, std::string isa_name,
                              int threads, nb::object tell) {
  check_pairs(products, a.size(), b.size());
  const auto run = a[0].dtype() == nb::dtype<std::int32_t>() ? permute_matrices<std::int32_t>
                   : a[0].dtype() == nb::dtype<float>()      ? permute_matrices<float>
                                                             : permute_matrices<double>;
  run(a, b, source, products, isa_name, threads, tell);
}

void permuted_graphs_on_cpu(Graphs a, Graphs b, Source source, Products products, int threads,
                            nb::object tell) {
  check_pairs(products, a.size(), b.size());
  const bool whole = std::get<2>(a[0]).dtype() == nb::dtype<std::int64_t>();
  (whole ? permute_graphs<std::int64_t> : permute_graphs<double>)(a, b, source, products, threads, tell);
}

// Graphs of neighbours whose weights are rows of three: see KernelEdge.
std::vector<Graph<KernelEdge>> kernels_of(const KernelGraphs& graphs, std::int64_t n) {
  std::vector<Graph<KernelEdge>> found;
  for (const auto& [starts, columns, weights] : graphs) {
    const Graph<KernelEdge> graph{values<const std::int64_t>(starts), values<const std::int32_t>(columns),
                                  reinterpret_cast<const KernelEdge*>(weights.data())};
    if (length(starts) != n + 1 || length(columns) != graph.starts[n] ||
        static_cast<std::int64_t>(weights.shape(0)) != graph.starts[n])
      throw misfit();
    found.push_back(graph);
  }
  return found;
}

void permuted_hsic_of(KernelGraphs a, KernelGraphs b, Source source, Sums sums, int threads,
                      nb::object tell) {
  if (sums.shape(1) != a.size() || sums.shape(2) != b.size()) throw misfit();
  const Orders orders = orders_of(source, static_cast<std::int64_t>(sums.shape(0)));
  const auto as = kernels_of(a, orders.n), bs = kernels_of(b, orders.n);
  const nb::gil_scoped_release no_gil;
  permuted_hsic(as, bs, orders, {threads, listener(tell)}, sums.data());
}

void permuted_best_edges_of(Graphs a, Graphs b, Source source, Sums sums, int threads, nb::object tell) {
  if (sums.shape(1) != a.size() || sums.shape(2) != b.size()) throw misfit();
  const Orders orders = orders_of(source, static_cast<std::int64_t>(sums.shape(0)));
  const auto as = graphs_of<double>(a, orders.n), bs = graphs_of<double>(b, orders.n);
  const nb::gil_scoped_release no_gil;
  permuted_best_edges(as, bs, orders, {threads, listener(tell)}, sums.data());
}

#ifdef CONSILIENCE_CUDA
template <class T>
void permute_on_device(const Matrices& a, const Matrices& b, const Source& source, Products& products,
                       std::uintptr_t stream, const nb::object& tell) {
  const Orders orders = orders_of(source, static_cast<std::int64_t>(products.shape(0)));
  const std::vector<const T*> as = matrices_of<T>(a, orders.n), bs = matrices_of<T>(b, orders.n);
  SumOf<T>* const sums = values<SumOf<T>>(products);
  const int device = a[0].device_id();
  const nb::gil_scoped_release no_gil;
  cuda::permuted_products(device, stream, as, bs, orders, listener(tell), sums);
}

// The matrices lie on one device; the products go to main memory.
void permuted_matrices_on_cuda(Matrices a, Matrices b, Source source, Products products,
                               std::uintptr_t stream, nb::object tell) {
  check_pairs(products, a.size(), b.size());
  const auto run = a[0].dtype() == nb::dtype<std::int32_t>() ? permute_on_device<std::int32_t>
                   : a[0].dtype() == nb::dtype<float>()      ? permute_on_device<float>
                                                             : permute_on_device<double>;
  run(a, b, source, products, stream, tell);
}
#endif

}  // namespace

void bind_permutations(nb::module_& module) {
  module.def("write_orders", write_orders, "source"_a, "start"_a, "drawn"_a);
  module.def("permuted_matrices", permuted_matrices_on_cpu, "a"_a, "b"_a, "source"_a, "products"_a, "isa"_a,
             "threads"_a, "tell"_a = nb::none());
  module.def("permuted_graphs", permuted_graphs_on_cpu, "a"_a, "b"_a, "source"_a, "products"_a, "threads"_a,
             "tell"_a = nb::none());
  module.def("permuted_hsic", permuted_hsic_of, "a"_a, "b"_a, "source"_a, "sums"_a, "threads"_a,
             "tell"_a = nb::none());
  module.def("permuted_best_edges", permuted_best_edges_of, "a"_a, "b"_a, "source"_a, "sums"_a, "threads"_a,
             "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("permuted_matrices_on_cuda", permuted_matrices_on_cuda, "a"_a, "b"_a, "source"_a, "products"_a,
             "stream"_a, "tell"_a = nb::none());
#endif
}

}  // namespace consilience
