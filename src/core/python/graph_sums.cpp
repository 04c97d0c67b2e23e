// graph_sums, from Python.
#include "../graph_sums.hpp"

#include <algorithm>

#include "arrays.hpp"

namespace consilience {

namespace {

using Indices = nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig>;
using Counts = nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig>;

void graph_sums_on_cpu(Indices indices, Counts mutual, Counts transitive, Counts cyclic, int threads,
                       nb::object tell) {
  const auto n = static_cast<std::int64_t>(indices.shape(0)), k = static_cast<std::int64_t>(indices.shape(1));
  for (const Counts* one : {&mutual, &transitive, &cyclic})
    if (static_cast<std::int64_t>(one->shape(0)) != n) throw misfit();
  const nb::gil_scoped_release no_gil;
  if (std::any_of(indices.data(), indices.data() + n * k, [n](std::int64_t j) { return j < 0 || j >= n; }))
    throw std::invalid_argument("an index is no row");
  graph_sums(indices.data(), n, k, {threads, listener(tell)},
             {mutual.data(), transitive.data(), cyclic.data()});
}

}  // namespace

void bind_graph_sums(nb::module_& module) {
  module.def("graph_sums", graph_sums_on_cpu, "indices"_a, "mutual"_a, "transitive"_a, "cyclic"_a,
             "threads"_a, "tell"_a = nb::none());
}

}  // namespace consilience
