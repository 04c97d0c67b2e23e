// Which instruction sets this build has and this CPU can run, widest first.
#pragma once
#include <string>
#include <vector>

#include "kernels.hpp"

namespace consilience {

inline std::vector<const Isa*> available_isas() {
  std::vector<const Isa*> isas;
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  if (amx_is_granted()) isas.push_back(&isa_amx);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) isas.push_back(&isa_avx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(&isa_avx2);
#endif
  isas.push_back(&isa_generic);
  return isas;
}

// The one with this name, the widest for "auto", none if this CPU or this build lacks it.
inline const Isa* find_isa(const std::string& name) {
  for (const Isa* isa : available_isas())
    if (name == "auto" || name == isa->name) return isa;
  return nullptr;
}

}  // namespace consilience
