// Permutations on the GPU. Read beside ../permutations.cpp.
#include "permutations.hpp"

#include "device.cuh"

namespace consilience::cuda {

namespace {

constexpr double AT_ONCE = 3e10;                                // products between two looks for a Ctrl-C
constexpr std::int64_t PLACES_AT_ONCE = std::int64_t{1} << 28;  // of all orders in memory, a gigabyte

// One draw a thread, by the same function as on the CPU.
__global__ void draw(Orders orders, std::int64_t start, std::int64_t count, std::int32_t* places) {
  const std::int64_t d = static_cast<std::int64_t>(blockIdx.x) * THREADS + threadIdx.x;
  if (d < count) orders.write(start + d, places + d * orders.n);
}

// One draw and pair a block. A warp takes every eighth row of A, above the diagonal; its threads' sums go up a tree.
template <class T>
__global__ void __launch_bounds__(THREADS)
    multiply(std::int64_t n, const T* const* a, const T* const* b, std::int64_t wide, std::int64_t pairs,
             const std::int32_t* places, SumOf<T>* products) {
  typedef SumOf<T> Sum;
  __shared__ Sum sums[THREADS];
  const T* const A = a[blockIdx.x % pairs / wide];
  const T* const B = b[blockIdx.x % wide];
  const std::int32_t* const order = places + blockIdx.x / pairs * n;
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  Sum above = 0, on = 0;
  for (std::int64_t u = warp; u < n; u += WARPS) {
    const T* const row = B + order[u] * n;
    for (std::int64_t v = u + 1 + lane; v < n; v += WARP)
      above += static_cast<Sum>(A[u * n + v]) * static_cast<Sum>(row[order[v]]);
    if (lane == 0) on += static_cast<Sum>(A[u * n + u]) * static_cast<Sum>(row[order[u]]);
  }
  sums[threadIdx.x] = 2 * above + on;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
  }
  if (threadIdx.x == 0) products[blockIdx.x] = sums[0];
}

}  // namespace

template <class T>
void permuted_products(int device, std::uintptr_t stream_number, const std::vector<const T*>& a,
                       const std::vector<const T*>& b, const Orders& orders, const Poll& poll,
                       SumOf<T>* products) {
  const OnDevice on(device);
  const auto stream = reinterpret_cast<cudaStream_t>(stream_number);
  const std::int64_t n = orders.n, pairs = a.size() * b.size();
  const auto copy = [&](const std::int32_t* values, std::int64_t count) {
    return Memory<std::int32_t>::from(std::vector<std::int32_t>(values, values + count), stream);
  };
  const Memory<std::int32_t> stimuli = copy(orders.stimuli, n), first = copy(orders.first, n);
  const auto as = Memory<const T*>::from(a, stream), bs = Memory<const T*>::from(b, stream);
  const std::int64_t most = std::min<std::int64_t>(PLACES_AT_ONCE / n, INT32_MAX / pairs);
  const std::int64_t step = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(AT_ONCE / (0.5 * n * n * pairs)), 1, std::min(most, orders.draws));
  const Memory<SumOf<T>> sums(step * pairs, stream);
  for (std::int64_t start = 0; start < orders.draws; start += step) {
    const std::int64_t count = std::min(step, orders.draws - start);
    Memory<std::int32_t> places;
    if (orders.given) {
      places = copy(orders.given + start * n, count * n);
    } else {
      places = Memory<std::int32_t>(count * n, stream);
      const Orders here{n, orders.draws, nullptr, orders.seed, stimuli.data, first.data};
      launch(draw, (count + THREADS - 1) / THREADS, THREADS, stream, here, start, count, places.data);
    }
    launch(multiply<T>, count * pairs, THREADS, stream, n, static_cast<const T* const*>(as.data),
           static_cast<const T* const*>(bs.data), static_cast<std::int64_t>(b.size()), pairs,
           static_cast<const std::int32_t*>(places.data), sums.data);
    wait(stream, poll, share_done(start + count, orders.draws));
    const std::vector<SumOf<T>> found = sums.part(0, count * pairs);
    std::copy(found.begin(), found.end(), products + start * pairs);
  }
}

template void permuted_products(int, std::uintptr_t, const std::vector<const float*>&,
                                const std::vector<const float*>&, const Orders&, const Poll&, double*);
template void permuted_products(int, std::uintptr_t, const std::vector<const double*>&,
                                const std::vector<const double*>&, const Orders&, const Poll&, double*);
template void permuted_products(int, std::uintptr_t, const std::vector<const std::int32_t*>&,
                                const std::vector<const std::int32_t*>&, const Orders&, const Poll&,
                                std::int64_t*);

}  // namespace consilience::cuda
