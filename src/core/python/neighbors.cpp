// neighbors, from Python.
#include <nanobind/stl/optional.h>

#include "../neighbors.hpp"
#include "arrays.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/neighbors.hpp"
#include "precision.hpp"
#endif

namespace consilience {

namespace {

Similarity similarity_named(const std::string& name) {
  if (name == "cosine") return Similarity::cosine;
  if (name == "dot") return Similarity::dot;
  if (name == "euclidean") return Similarity::euclidean;
  throw nb::value_error("similarity must be cosine, dot or euclidean");
}

// What must hold for memory to be safe, whatever was checked before.
void check_shapes(const View& X, const View* Y, std::int64_t k, const Output<std::int64_t>& indices,
                  const std::optional<Output<double>>& similarities) {
  const std::int64_t candidates = Y ? Y->n : X.n - 1;
  const auto is_n_by_k = [&](const auto& array) {
    return static_cast<std::int64_t>(array.shape(0)) == X.n && static_cast<std::int64_t>(array.shape(1)) == k;
  };
  if (X.n < 1 || X.d < 1 || k < 1 || k > candidates || candidates >= INT32_MAX || (Y && Y->d != X.d) ||
      !is_n_by_k(indices) || (similarities && !is_n_by_k(*similarities)))
    throw misfit();
}

nb::object hand_over(Ties ties) {
  return nb::make_tuple(array_of(std::move(ties.rows)), array_of(std::move(ties.starts)),
                        array_of(std::move(ties.columns)));
}

nb::object neighbors_on_cpu(Input X, std::optional<Input> others, std::string similarity,
                            Output<std::int64_t> indices, std::optional<Output<double>> similarities,
                            bool want_ties, std::string isa_name, int threads, nb::object tell) {
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
    run(isa, x, y ? &*y : nullptr, k, similarity_named(similarity), {threads, listener(tell)}, indices.data(),
        similarities ? similarities->data() : nullptr, want_ties ? &ties : nullptr);
  }
  return want_ties ? hand_over(std::move(ties)) : nb::none();
}

#ifdef CONSILIENCE_CUDA
// All arrays lie on one device; `stream` is the caller's current stream there.
nb::object neighbors_on_cuda(Input X, std::optional<Input> others, std::string similarity,
                             Output<std::int64_t> indices, Output<double> similarities, bool want_ties,
                             std::string precision, std::uintptr_t stream, nb::object tell) {
  const View x = view_of(X);
  std::optional<View> y;
  if (others) y = view_of(*others);
  const std::int64_t k = static_cast<std::int64_t>(indices.shape(1));
  check_shapes(x, y ? &*y : nullptr, k, indices, similarities);
  Ties ties;
  {
    nb::gil_scoped_release no_gil;
    cuda::neighbors(X.device_id(), stream, x, y ? &*y : nullptr, k, similarity_named(similarity),
                    precision_named(precision), listener(tell), indices.data(), similarities.data(),
                    want_ties ? &ties : nullptr);
  }
  return want_ties ? hand_over(std::move(ties)) : nb::none();
}
#endif

}  // namespace

void bind_neighbors(nb::module_& module) {
  module.def("neighbors", neighbors_on_cpu, "X"_a, "others"_a.none(), "similarity"_a, "indices"_a,
             "similarities"_a.none(), "want_ties"_a, "isa"_a, "threads"_a, "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("neighbors_on_cuda", neighbors_on_cuda, "X"_a, "others"_a.none(), "similarity"_a, "indices"_a,
             "similarities"_a, "want_ties"_a, "precision"_a, "stream"_a, "tell"_a = nb::none());
#endif
}

}  // namespace consilience
