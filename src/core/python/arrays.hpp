// What the doors of all operations share: arrays as they come from Python, and how to listen to it meanwhile.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <vector>

#include "../isa.hpp"
#include "../pack.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace consilience {

using Input = nb::ndarray<nb::ro, nb::ndim<2>>;
template <class T> using Output = nb::ndarray<T, nb::ndim<2>, nb::c_contig>;
using Numbers = nb::ndarray<double, nb::ndim<1>, nb::c_contig>;

inline nb::builtin_exception misfit() { return nb::value_error("shapes do not fit together"); }

inline View view_of(const Input& array) {
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

inline const Isa& isa_named(const std::string& name) {
  const Isa* const isa = find_isa(name);
  if (!isa) throw nb::value_error("this CPU, or this build, lacks that instruction set");
  return *isa;
}

// What work calls now and then: Python's own signal handlers decide what a Ctrl-C means, here it only becomes an
// exception; and `tell`, unless it is None, hears what share is done. It must outlive the work.
inline Poll listener(const nb::object& tell) {
  return [&tell](double share) {
    nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!tell.is_none()) tell(share);
  };
}

template <class T> inline nb::object array_of(std::vector<T> values) {
  auto* const owned = new std::vector<T>(std::move(values));
  nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(owned->data(), {owned->size()}, owner));
}

}  // namespace consilience
