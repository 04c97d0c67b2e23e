// kernel_sums and median_distance, from Python.
#include <nanobind/stl/array.h>

#include "../kernel_sums.hpp"
#include "arrays.hpp"
#include "kernel_named.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/kernel_sums.hpp"
#include "precision.hpp"
#endif

namespace consilience {

namespace {

KernelSums check_shapes(const View& X, const View& Y, const Numbers& products, const Numbers& K_rows,
                        const Numbers& L_rows, const Numbers& K_diagonal, const Numbers& L_diagonal) {
  bool fit = X.n >= 2 && X.d >= 1 && Y.n == X.n && Y.d >= 1 && products.shape(0) == 3;
  for (const Numbers* one : {&K_rows, &L_rows, &K_diagonal, &L_diagonal})
    fit = fit && static_cast<std::int64_t>(one->shape(0)) == X.n;
  if (!fit) throw misfit();
  return {products.data(), K_rows.data(), L_rows.data(), K_diagonal.data(), L_diagonal.data()};
}

// `spread` is of_X, of_Y and the shift; `products` are three, the other results n each.
void kernel_sums_on_cpu(Input X, Input Y, std::string kernel, std::array<double, 3> spread, Numbers products,
                        Numbers K_rows, Numbers L_rows, Numbers K_diagonal, Numbers L_diagonal,
                        std::string arithmetic, std::string isa_name, int threads, nb::object tell) {
  const Isa& isa = isa_named(isa_name);
  const View x = view_of(X), y = view_of(Y);
  const KernelSums sums = check_shapes(x, y, products, K_rows, L_rows, K_diagonal, L_diagonal);
  const nb::gil_scoped_release no_gil;
  kernel_sums(isa, x, y, kernel_named(kernel), {spread[0], spread[1], spread[2]},
              arithmetic_named(arithmetic, isa), {threads, listener(tell)}, sums);
}

double median_distance_on_cpu(Input X, std::string isa_name, int threads, nb::object tell) {
  const Isa& isa = isa_named(isa_name);
  const View x = view_of(X);
  if (x.n < 2 || x.d < 1) throw misfit();
  const nb::gil_scoped_release no_gil;
  return median_distance(isa, x, {threads, listener(tell)});
}

#ifdef CONSILIENCE_CUDA
// X and Y lie on one device; the results go to main memory.
void kernel_sums_on_cuda(Input X, Input Y, std::string kernel, std::array<double, 3> spread, Numbers products,
                         Numbers K_rows, Numbers L_rows, Numbers K_diagonal, Numbers L_diagonal,
                         bool in_double, std::string precision, std::uintptr_t stream, nb::object tell) {
  const View x = view_of(X), y = view_of(Y);
  const KernelSums sums = check_shapes(x, y, products, K_rows, L_rows, K_diagonal, L_diagonal);
  const int device = X.device_id();
  const nb::gil_scoped_release no_gil;
  cuda::kernel_sums(device, stream, x, y, kernel_named(kernel), {spread[0], spread[1], spread[2]}, in_double,
                    precision_named(precision), listener(tell), sums);
}
#endif

}  // namespace

void bind_kernel_sums(nb::module_& module) {
  module.def("kernel_sums", kernel_sums_on_cpu, "X"_a, "Y"_a, "kernel"_a, "spread"_a, "products"_a,
             "K_rows"_a, "L_rows"_a, "K_diagonal"_a, "L_diagonal"_a, "arithmetic"_a, "isa"_a, "threads"_a,
             "tell"_a = nb::none());
  module.def("median_distance", median_distance_on_cpu, "X"_a, "isa"_a, "threads"_a, "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("kernel_sums_on_cuda", kernel_sums_on_cuda, "X"_a, "Y"_a, "kernel"_a, "spread"_a, "products"_a,
             "K_rows"_a, "L_rows"_a, "K_diagonal"_a, "L_diagonal"_a, "in_double"_a, "precision"_a, "stream"_a,
             "tell"_a = nb::none());
#endif
}

}  // namespace consilience
