// What one core can do at the very most: the measure of how well a loop uses the machine.
#pragma once
#include "isa.hpp"

namespace consilience {

// Operations in float32 a second of CPU time, a multiplication and an addition being two. A quarter of a second.
double peak(const Isa& isa);

}  // namespace consilience
