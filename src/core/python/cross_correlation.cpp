// cross_correlation, from Python.
#include "../cross_correlation.hpp"

#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/cross_correlation.hpp"
#endif

namespace consilience {

namespace {

Sign sign_named(const std::string& name) {
  if (name == "positive") return Sign::positive;
  if (name == "negative") return Sign::negative;
  if (name == "absolute") return Sign::absolute;
  throw nb::value_error("sign must be positive, negative or absolute");
}

// What Python sees of Partners.
struct Arrays {
  const Output<std::int64_t>& best;
  const Output<double>& correlations;
  const Output<std::int64_t>& counts;
};

// What must hold for memory to be safe, whatever was checked before.
Partners check_shapes(const View& series, const View& others, std::size_t k, std::size_t thresholds,
                      const Arrays& arrays) {
  const std::size_t n = static_cast<std::size_t>(series.d);
  const auto is = [&](const auto& array, std::size_t columns) {
    return array.shape(0) == n && array.shape(1) == columns;
  };
  if (series.n < 1 || series.n != others.n || n < 1 || series.d >= INT32_MAX || k < 1 || k > n ||
      !is(arrays.best, k) || !is(arrays.correlations, k) || !is(arrays.counts, thresholds))
    throw misfit();
  return {arrays.best.data(), arrays.correlations.data(), arrays.counts.data()};
}

void cross_correlation_on_cpu(Input units, Input voxels, std::string sign, std::vector<double> thresholds,
                              Output<std::int64_t> best_of_units, Output<double> correlations_of_units,
                              Output<std::int64_t> counts_of_units, Output<std::int64_t> best_of_voxels,
                              Output<double> correlations_of_voxels, Output<std::int64_t> counts_of_voxels,
                              std::string isa_name, int threads, nb::object tell) {
  const Isa& isa = isa_named(isa_name);
  const View u = view_of(units), v = view_of(voxels);
  const std::size_t k = best_of_units.shape(1);
  const Partners of_units =
      check_shapes(u, v, k, thresholds.size(), {best_of_units, correlations_of_units, counts_of_units});
  const Partners of_voxels =
      check_shapes(v, u, k, thresholds.size(), {best_of_voxels, correlations_of_voxels, counts_of_voxels});
  const auto run =
      u.type == Type::f64 || v.type == Type::f64 ? cross_correlation<double> : cross_correlation<float>;
  const nb::gil_scoped_release no_gil;
  run(isa, u, v, static_cast<std::int64_t>(k), sign_named(sign), thresholds, {threads, listener(tell)},
      of_units, of_voxels);
}

#ifdef CONSILIENCE_CUDA
// All arrays lie on one device; `stream` is the caller's current stream there.
void cross_correlation_on_cuda(Input units, Input voxels, std::string sign, std::vector<double> thresholds,
                               Output<std::int64_t> best_of_units, Output<double> correlations_of_units,
                               Output<std::int64_t> counts_of_units, Output<std::int64_t> best_of_voxels,
                               Output<double> correlations_of_voxels, Output<std::int64_t> counts_of_voxels,
                               std::uintptr_t stream, nb::object tell) {
  const View u = view_of(units), v = view_of(voxels);
  const std::size_t k = best_of_units.shape(1);
  const Partners of_units =
      check_shapes(u, v, k, thresholds.size(), {best_of_units, correlations_of_units, counts_of_units});
  const Partners of_voxels =
      check_shapes(v, u, k, thresholds.size(), {best_of_voxels, correlations_of_voxels, counts_of_voxels});
  const auto run = u.type == Type::f64 || v.type == Type::f64 ? cuda::cross_correlation<double>
                                                              : cuda::cross_correlation<float>;
  const int device = units.device_id();
  const nb::gil_scoped_release no_gil;
  run(device, stream, u, v, static_cast<std::int64_t>(k), sign_named(sign), thresholds, listener(tell),
      of_units, of_voxels);
}
#endif

}  // namespace

void bind_cross_correlation(nb::module_& module) {
  module.def("cross_correlation", cross_correlation_on_cpu, "units"_a, "voxels"_a, "sign"_a, "thresholds"_a,
             "best_of_units"_a, "correlations_of_units"_a, "counts_of_units"_a, "best_of_voxels"_a,
             "correlations_of_voxels"_a, "counts_of_voxels"_a, "isa"_a, "threads"_a, "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("cross_correlation_on_cuda", cross_correlation_on_cuda, "units"_a, "voxels"_a, "sign"_a,
             "thresholds"_a, "best_of_units"_a, "correlations_of_units"_a, "counts_of_units"_a,
             "best_of_voxels"_a, "correlations_of_voxels"_a, "counts_of_voxels"_a, "stream"_a,
             "tell"_a = nb::none());
#endif
}

}  // namespace consilience
