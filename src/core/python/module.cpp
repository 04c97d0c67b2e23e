// The door between Python and the core. This folder alone knows both; each file is the door of one operation.
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#ifdef CONSILIENCE_CUDA
#include "../cuda/neighbors.hpp"
#endif

namespace consilience {

void bind_neighbors(nb::module_& module);
void bind_kernel_sums(nb::module_& module);
void bind_dissimilarities(nb::module_& module);
void bind_rank_correlation(nb::module_& module);
void bind_permutations(nb::module_& module);
void bind_peak(nb::module_& module);
void bind_layer_sums(nb::module_& module);
void bind_cross_correlation(nb::module_& module);
void bind_relation_sums(nb::module_& module);
void bind_graph_sums(nb::module_& module);

}  // namespace consilience

using namespace consilience;

NB_MODULE(_compiled, module) {
  bind_neighbors(module);
  bind_kernel_sums(module);
  bind_dissimilarities(module);
  bind_rank_correlation(module);
  bind_permutations(module);
  bind_peak(module);
  bind_layer_sums(module);
  bind_cross_correlation(module);
  bind_relation_sums(module);
  bind_graph_sums(module);
  module.def("isas", [] {
    std::vector<std::string> names;
    for (const Isa* isa : available_isas()) names.emplace_back(isa->name);
    return names;
  });
#ifdef CONSILIENCE_CUDA
  module.def("cuda_devices", cuda::devices);
  module.def("tensor_cores", cuda::tensor_cores, "device"_a);
#endif
}
