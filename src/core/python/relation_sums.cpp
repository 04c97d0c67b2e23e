// relation_sums, from Python.
#include "../relation_sums.hpp"

#include "arrays.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/relation_sums.hpp"
#endif

namespace consilience {

namespace {

Terms<double> check_shapes(const View& Z, const View& W, const Numbers& u, const Numbers& p, const Numbers& e,
                           const Numbers& sums) {
  bool fit = Z.n >= 2 && Z.d >= 1 && W.n == Z.n && W.d >= 1 && sums.shape(0) == RELATION_SUMS;
  for (const Numbers* one : {&u, &p, &e}) fit = fit && static_cast<std::int64_t>(one->shape(0)) == Z.n;
  if (!fit) throw misfit();
  return {u.data(), p.data(), e.data()};
}

void relation_sums_on_cpu(Input Z, Input W, Numbers u, Numbers p, Numbers e, Numbers sums, bool in_double,
                          std::string isa_name, int threads, nb::object tell) {
  const Isa& isa = isa_named(isa_name);
  const View z = view_of(Z), w = view_of(W);
  const Terms<double> terms = check_shapes(z, w, u, p, e, sums);
  const nb::gil_scoped_release no_gil;
  relation_sums(isa, z, w, terms, in_double, {threads, listener(tell)}, sums.data());
}

#ifdef CONSILIENCE_CUDA
// Z and W lie on one device; the terms and the sums in main memory.
void relation_sums_on_cuda(Input Z, Input W, Numbers u, Numbers p, Numbers e, Numbers sums, bool in_double,
                           std::uintptr_t stream, nb::object tell) {
  const View z = view_of(Z), w = view_of(W);
  const Terms<double> terms = check_shapes(z, w, u, p, e, sums);
  const int device = Z.device_id();
  const nb::gil_scoped_release no_gil;
  cuda::relation_sums(device, stream, z, w, terms, in_double, listener(tell), sums.data());
}
#endif

}  // namespace

void bind_relation_sums(nb::module_& module) {
  module.def("relation_sums", relation_sums_on_cpu, "Z"_a, "W"_a, "u"_a, "p"_a, "e"_a, "sums"_a,
             "in_double"_a, "isa"_a, "threads"_a, "tell"_a = nb::none());
#ifdef CONSILIENCE_CUDA
  module.def("relation_sums_on_cuda", relation_sums_on_cuda, "Z"_a, "W"_a, "u"_a, "p"_a, "e"_a, "sums"_a,
             "in_double"_a, "stream"_a, "tell"_a = nb::none());
#endif
}

}  // namespace consilience
