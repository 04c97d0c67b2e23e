// dissimilarities, from Python.
#include "../dissimilarities.hpp"
#include "arrays.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/dissimilarities.hpp"
#endif

namespace consilience {

namespace {

Dissimilarity dissimilarity_named(const std::string& name) {
  if (name == "correlation") return Dissimilarity::correlation;
  if (name == "cosine") return Dissimilarity::cosine;
  if (name == "euclidean") return Dissimilarity::euclidean;
  if (name == "squared_euclidean") return Dissimilarity::squared_euclidean;
  throw nb::value_error("dissimilarity must be correlation, cosine, euclidean or squared_euclidean");
}

void check_shapes(const View& X, const Numbers& to) {
  if (X.n < 2 || X.d < 1 || static_cast<std::int64_t>(to.shape(0)) != X.n * (X.n - 1) / 2) throw misfit();
}

void dissimilarities_on_cpu(Input X, std::string dissimilarity, Numbers to, std::string isa_name, int threads,
                            nb::object tell) {
  const Isa& isa = isa_named(isa_name);
  const View x = view_of(X);
  check_shapes(x, to);
  const Dissimilarity named = dissimilarity_named(dissimilarity);
  const nb::gil_scoped_release no_gil;
  dissimilarities(isa, x, named, {threads, listener(tell)}, to.data());
}

#ifdef CONSILIENCE_CUDA
// Both arrays lie on one device.
void dissimilarities_on_cuda(Input X, std::string dissimilarity, Numbers to, std::uintptr_t stream,
                             nb::object tell) {
  const View x = view_of(X);
  check_shapes(x, to);
  const Dissimilarity named = dissimilarity_named(dissimilarity);
  const int device = X.device_id();
  const nb::gil_scoped_release no_gil;
  cuda::dissimilarities(device, stream, x, named, listener(tell), to.data());
}
#endif

}  // namespace

void bind_dissimilarities(nb::module_& module) {
  module.def("dissimilarities", dissimilarities_on_cpu, "X"_a, "dissimilarity"_a, "to"_a, "isa"_a,
             "threads"_a, "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("dissimilarities_on_cuda", dissimilarities_on_cuda, "X"_a, "dissimilarity"_a, "to"_a, "stream"_a,
             "tell"_a = nb::none());
#endif
}

}  // namespace consilience
