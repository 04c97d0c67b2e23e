// The door between Python and the core: the only file that knows both.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "isa.hpp"
#include "kernel_sums.hpp"
#include "neighbors.hpp"
#ifdef CONSILIENCE_CUDA
#include "cuda/kernel_sums.hpp"
#include "cuda/neighbors.hpp"
#endif

namespace nb = nanobind;
using namespace nb::literals;
using namespace consilience;

namespace {

using Input = nb::ndarray<nb::ro, nb::ndim<2>>;
template <class T> using Output = nb::ndarray<T, nb::ndim<2>, nb::c_contig>;
using Numbers = nb::ndarray<double, nb::ndim<1>, nb::c_contig>;

View view_of(const Input& array) {
  using Code = nb::dlpack::dtype_code;
  const auto is = [&](Code code, int bits) {
    return array.dtype().code == static_cast<std::uint8_t>(code) && array.dtype().bits == bits &&
           array.dtype().lanes == 1;
  };
  Type type;
  if (is(Code::Float, 16)) type = Type::f16;
  else if (is(Code::Bfloat, 16)) type = Type::bf16;
  else if (is(Code::Float, 32)) type = Type::f32;
  else if (is(Code::Float, 64)) type = Type::f64;
  else throw nb::type_error("the dtype must be float16, bfloat16, float32 or float64");
  return {array.data(),
          type,
          static_cast<std::int64_t>(array.shape(0)),
          static_cast<std::int64_t>(array.shape(1)),
          array.stride(0),
          array.stride(1)};
}

Similarity similarity_named(const std::string& name) {
  if (name == "cosine") return Similarity::cosine;
  if (name == "dot") return Similarity::dot;
  if (name == "euclidean") return Similarity::euclidean;
  throw nb::value_error("similarity must be cosine, dot or euclidean");
}

Kernel kernel_named(const std::string& name) {
  if (name == "linear") return Kernel::linear;
  if (name == "cosine") return Kernel::cosine;
  if (name == "rbf") return Kernel::gaussian;
  if (name == "laplacian") return Kernel::laplacian;
  throw nb::value_error("kernel must be linear, cosine, rbf or laplacian");
}

const Isa& isa_named(const std::string& name) {
  const Isa* const isa = find_isa(name);
  if (!isa) throw nb::value_error("this CPU, or this build, lacks that instruction set");
  return *isa;
}

// What must hold for memory to be safe, whatever was checked before.
void check_shapes(const View& X, const View* Y, std::int64_t k, const Output<std::int64_t>& indices,
                  const Output<double>& similarities) {
  const std::int64_t candidates = Y ? Y->n : X.n - 1;
  const auto is_n_by_k = [&](const auto& array) {
    return static_cast<std::int64_t>(array.shape(0)) == X.n && static_cast<std::int64_t>(array.shape(1)) == k;
  };
  if (X.n < 1 || X.d < 1 || k < 1 || k > candidates || candidates >= INT32_MAX || (Y && Y->d != X.d) ||
      !is_n_by_k(indices) || !is_n_by_k(similarities))
    throw nb::value_error("shapes do not fit together");
}

KernelSums check_shapes(const View& X, const View& Y, const Numbers& products, const Numbers& K_rows,
                        const Numbers& L_rows, const Numbers& K_diagonal, const Numbers& L_diagonal) {
  bool fit = X.n >= 2 && X.d >= 1 && Y.n == X.n && Y.d >= 1 && products.shape(0) == 3;
  for (const Numbers* one : {&K_rows, &L_rows, &K_diagonal, &L_diagonal})
    fit = fit && static_cast<std::int64_t>(one->shape(0)) == X.n;
  if (!fit) throw nb::value_error("shapes do not fit together");
  return {products.data(), K_rows.data(), L_rows.data(), K_diagonal.data(), L_diagonal.data()};
}

// Python's own signal handlers decide what a Ctrl-C means; here it only becomes an exception.
void poll_signals() {
  nb::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

template <class T> nb::object array_of(std::vector<T> values) {
  auto* const owned = new std::vector<T>(std::move(values));
  nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(owned->data(), {owned->size()}, owner));
}

nb::object hand_over(Ties ties) {
  return nb::make_tuple(array_of(std::move(ties.rows)), array_of(std::move(ties.starts)),
                        array_of(std::move(ties.columns)));
}

nb::object neighbors_on_cpu(Input X, std::optional<Input> others, std::string similarity,
                            Output<std::int64_t> indices, Output<double> similarities, bool want_ties,
                            std::string isa_name, int threads) {
  const Isa& isa = isa_named(isa_name);
  const View x = view_of(X);
  std::optional<View> y;
  if (others) y = view_of(*others);
  const std::int64_t k = static_cast<std::int64_t>(indices.shape(1));
  check_shapes(x, y ? &*y : nullptr, k, indices, similarities);
  const auto run = x.type == Type::f64 || (y && y->type == Type::f64) ? consilience::neighbors<double>
                                                                      : consilience::neighbors<float>;
  Ties ties;
  {
    nb::gil_scoped_release no_gil;
    run(isa, x, y ? &*y : nullptr, k, similarity_named(similarity), {threads, poll_signals}, indices.data(),
        similarities.data(), want_ties ? &ties : nullptr);
  }
  return want_ties ? hand_over(std::move(ties)) : nb::none();
}

// `spread` is of_X, of_Y and the shift; `products` are three, the other results n each.
void kernel_sums_on_cpu(Input X, Input Y, std::string kernel, std::array<double, 3> spread,
                        Numbers products, Numbers K_rows, Numbers L_rows, Numbers K_diagonal,
                        Numbers L_diagonal, bool in_double, std::string isa_name, int threads) {
  const Isa& isa = isa_named(isa_name);
  const View x = view_of(X), y = view_of(Y);
  const KernelSums sums = check_shapes(x, y, products, K_rows, L_rows, K_diagonal, L_diagonal);
  const nb::gil_scoped_release no_gil;
  kernel_sums(isa, x, y, kernel_named(kernel), {spread[0], spread[1], spread[2]}, in_double,
              {threads, poll_signals}, sums);
}

double median_distance_on_cpu(Input X, std::string isa_name, int threads) {
  const Isa& isa = isa_named(isa_name);
  const View x = view_of(X);
  if (x.n < 2 || x.d < 1) throw nb::value_error("shapes do not fit together");
  const nb::gil_scoped_release no_gil;
  return median_distance(isa, x, {threads, poll_signals});
}

#ifdef CONSILIENCE_CUDA
// All arrays lie on one device; `stream` is the caller's current stream there.
nb::object neighbors_on_cuda(Input X, std::optional<Input> others, std::string similarity,
                             Output<std::int64_t> indices, Output<double> similarities, bool want_ties,
                             std::uintptr_t stream) {
  const View x = view_of(X);
  std::optional<View> y;
  if (others) y = view_of(*others);
  check_shapes(x, y ? &*y : nullptr, static_cast<std::int64_t>(indices.shape(1)), indices, similarities);
  const auto run =
      x.type == Type::f64 || (y && y->type == Type::f64) ? cuda::neighbors<double> : cuda::neighbors<float>;
  Ties ties;
  {
    nb::gil_scoped_release no_gil;
    run(X.device_id(), stream, x, y ? &*y : nullptr, static_cast<std::int64_t>(indices.shape(1)),
        similarity_named(similarity), poll_signals, indices.data(), similarities.data(),
        want_ties ? &ties : nullptr);
  }
  return want_ties ? hand_over(std::move(ties)) : nb::none();
}

// X and Y lie on one device; the results go to main memory.
void kernel_sums_on_cuda(Input X, Input Y, std::string kernel, std::array<double, 3> spread,
                         Numbers products, Numbers K_rows, Numbers L_rows, Numbers K_diagonal,
                         Numbers L_diagonal, bool in_double, std::uintptr_t stream) {
  const View x = view_of(X), y = view_of(Y);
  const KernelSums sums = check_shapes(x, y, products, K_rows, L_rows, K_diagonal, L_diagonal);
  const int device = X.device_id();
  const nb::gil_scoped_release no_gil;
  cuda::kernel_sums(device, stream, x, y, kernel_named(kernel), {spread[0], spread[1], spread[2]}, in_double,
                    poll_signals, sums);
}
#endif

}  // namespace

NB_MODULE(_compiled, module) {
  module.def("neighbors", neighbors_on_cpu, "X"_a, "others"_a.none(), "similarity"_a, "indices"_a,
             "similarities"_a, "want_ties"_a, "isa"_a, "threads"_a);
  module.def("kernel_sums", kernel_sums_on_cpu, "X"_a, "Y"_a, "kernel"_a, "spread"_a, "products"_a,
             "K_rows"_a, "L_rows"_a, "K_diagonal"_a, "L_diagonal"_a, "in_double"_a, "isa"_a, "threads"_a);
  module.def("median_distance", median_distance_on_cpu, "X"_a, "isa"_a, "threads"_a);
  module.def("isas", [] {
    std::vector<std::string> names;
    for (const Isa* isa : available_isas()) names.emplace_back(isa->name);
    return names;
  });
#ifdef CONSILIENCE_CUDA
  module.def("neighbors_on_cuda", neighbors_on_cuda, "X"_a, "others"_a.none(), "similarity"_a, "indices"_a,
             "similarities"_a, "want_ties"_a, "stream"_a);
  module.def("kernel_sums_on_cuda", kernel_sums_on_cuda, "X"_a, "Y"_a, "kernel"_a, "spread"_a, "products"_a,
             "K_rows"_a, "L_rows"_a, "K_diagonal"_a, "L_diagonal"_a, "in_double"_a, "stream"_a);
  module.def("cuda_devices", cuda::devices);
#endif
}
