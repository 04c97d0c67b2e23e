// peak, from Python.
#include "../peak.hpp"

#include "arrays.hpp"

namespace consilience {

namespace {

double peak_of(std::string isa_name) {
  const Isa& isa = isa_named(isa_name);
  const nb::gil_scoped_release no_gil;
  return peak(isa);
}

}  // namespace

void bind_peak(nb::module_& module) { module.def("peak", peak_of, "isa"_a); }

}  // namespace consilience
