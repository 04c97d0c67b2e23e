// The same for permutations. See neighbors.cpp.
#define CONSILIENCE_EMULATE
#include "cuda/permutations.cu"

using namespace consilience;

namespace {

template <class T>
void permute(const void* const* a, std::int64_t count_a, const void* const* b, std::int64_t count_b,
             const Orders& orders, void* products) {
  const auto list = [](const void* const* from, std::int64_t count) {
    std::vector<const T*> matrices;
    for (std::int64_t i = 0; i < count; i++) matrices.push_back(static_cast<const T*>(from[i]));
    return matrices;
  };
  cuda::permuted_products(
      0, 0, list(a, count_a), list(b, count_b), orders, [](double) {}, static_cast<SumOf<T>*>(products));
}

}  // namespace

// `kind`: 0 is int32, 1 float, 2 double.
extern "C" int permuted_products(int kind, const void* const* a, std::int64_t count_a, const void* const* b,
                                 std::int64_t count_b, std::int64_t n, std::int64_t draws,
                                 const std::int32_t* given, std::uint64_t seed, const std::int32_t* stimuli,
                                 const std::int32_t* first, void* products) try {
  const auto run = kind == 0 ? permute<std::int32_t> : kind == 1 ? permute<float> : permute<double>;
  run(a, count_a, b, count_b, {n, draws, given, seed, stimuli, first}, products);
  return 0;
} catch (...) { return -1; }
