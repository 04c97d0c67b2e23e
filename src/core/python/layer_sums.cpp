// layer_sums, from Python.
#include <nanobind/stl/vector.h>

#include "../layer_sums.hpp"
#include "arrays.hpp"
#include "kernel_named.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/layer_sums.hpp"
#endif

namespace consilience {

namespace {

struct Arguments {
  std::vector<View> layers;
  LayerSums sums;

  Arguments(const std::vector<Input>& arrays, const std::vector<double>& spreads,
            const Output<double>& products, const Output<double>& rows, const Output<double>& diagonals) {
    for (const Input& array : arrays) layers.push_back(view_of(array));
    const std::size_t count = layers.size(), n = arrays.empty() ? 0 : arrays[0].shape(0);
    bool fit = n >= 2 && spreads.size() == count && products.shape(0) == count && products.shape(1) == count;
    for (const Input& array : arrays) fit = fit && array.shape(0) == n && array.shape(1) >= 1;
    for (const auto* output : {&rows, &diagonals})
      fit = fit && output->shape(0) == count && output->shape(1) == n;
    if (!fit) throw misfit();
    sums = {products.data(), rows.data(), diagonals.data()};
  }
};

void layer_sums_on_cpu(std::vector<Input> layers, std::string kernel, std::vector<double> spreads,
                       double shift, Output<double> products, Output<double> rows, Output<double> diagonals,
                       std::string arithmetic, std::string isa_name, int threads, nb::object tell) {
  const Isa& isa = isa_named(isa_name);
  const Arguments given(layers, spreads, products, rows, diagonals);
  const nb::gil_scoped_release no_gil;
  layer_sums(isa, given.layers, kernel_named(kernel), spreads, shift, arithmetic_named(arithmetic, isa),
             {threads, listener(tell)}, given.sums);
}

#ifdef CONSILIENCE_CUDA
// The layers lie on one device; the results go to main memory.
void layer_sums_on_cuda(std::vector<Input> layers, std::string kernel, std::vector<double> spreads,
                        double shift, Output<double> products, Output<double> rows, Output<double> diagonals,
                        bool in_double, std::uintptr_t stream, nb::object tell) {
  const Arguments given(layers, spreads, products, rows, diagonals);
  const int device = layers[0].device_id();
  const nb::gil_scoped_release no_gil;
  cuda::layer_sums(device, stream, given.layers, kernel_named(kernel), spreads, shift, in_double,
                   listener(tell), given.sums);
}
#endif

}  // namespace

void bind_layer_sums(nb::module_& module) {
  module.def("layer_sums", layer_sums_on_cpu, "layers"_a, "kernel"_a, "spreads"_a, "shift"_a, "products"_a,
             "rows"_a, "diagonals"_a, "arithmetic"_a, "isa"_a, "threads"_a, "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("layer_sums_on_cuda", layer_sums_on_cuda, "layers"_a, "kernel"_a, "spreads"_a, "shift"_a,
             "products"_a, "rows"_a, "diagonals"_a, "in_double"_a, "stream"_a, "tell"_a = nb::none());
#endif
}

}  // namespace consilience
