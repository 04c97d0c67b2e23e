// CUDA on the CPU, for tests: enough of the language and its runtime to run this folder's sources where no
// GPU is.
//
// The threads of a block are fibers of one CPU thread. A fiber runs until it meets a barrier or a warp
// operation, then hands over to the next; when all have arrived, they go on. Blocks run one after another.
// This checks indices, logic and arithmetic. It cannot see races between barriers, nor say anything about
// speed.
#pragma once
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)

struct Index3 {
  unsigned x, y, z;
};
inline Index3 threadIdx, blockIdx, blockDim;

namespace emulate {

constexpr std::size_t STACK = 64 << 10;

struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(STACK);
  bool done = false;
};

// A meeting point: whoever comes early yields until the last has come. Values are exchanged through two
// mailboxes in turn, so that the quick do not overwrite what the slow have not read.
struct Meeting {
  int expected = 0, here = 0;
  unsigned round = 0;
  std::uint64_t mail[2][32];
};

inline std::vector<Fiber> fibers;
inline ucontext_t scheduler;
inline Meeting barrier;
inline std::vector<Meeting> warps;
inline std::function<void()> body;

inline void meet(Meeting& meeting) {
  const unsigned round = meeting.round;
  if (++meeting.here == meeting.expected) {
    meeting.here = 0;
    meeting.round++;
  }
  const unsigned me = threadIdx.x;
  while (meeting.round == round) swapcontext(&fibers[me].context, &scheduler);
}

inline const std::uint64_t* exchange(std::uint64_t value) {
  Meeting& warp = warps[threadIdx.x / 32];
  std::uint64_t* const mail = warp.mail[warp.round % 2];
  mail[threadIdx.x % 32] = value;
  meet(warp);
  return mail;
}

inline void enter() {
  body();
  fibers[threadIdx.x].done = true;
  swapcontext(&fibers[threadIdx.x].context, &scheduler);
}

inline void run_block(int threads) {
  fibers.resize(threads);
  warps.assign(threads / 32, Meeting());
  for (auto& warp : warps) warp.expected = 32;
  barrier = Meeting();
  barrier.expected = threads;
  for (auto& fiber : fibers) {
    fiber.done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, enter, 0);
  }
  for (bool left = true; left;) {
    left = false;
    for (int i = 0; i < threads; i++) {
      if (fibers[i].done) continue;
      threadIdx = {static_cast<unsigned>(i), 0, 0};
      swapcontext(&scheduler, &fibers[i].context);
      left = true;
    }
  }
}

}  // namespace emulate

inline void __syncthreads() { emulate::meet(emulate::barrier); }
inline void __syncwarp() { emulate::exchange(0); }

template <class T> T __shfl_sync(unsigned, T value, int from) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  std::memcpy(&value, &emulate::exchange(bits)[from % 32], sizeof value);
  return value;
}
template <class T> T __shfl_xor_sync(unsigned all, T value, int mask) {
  return __shfl_sync(all, value, static_cast<int>(threadIdx.x % 32) ^ mask);
}
inline unsigned __ballot_sync(unsigned, bool vote) {
  const std::uint64_t* const votes = emulate::exchange(vote);
  unsigned result = 0;
  for (int i = 0; i < 32; i++) result |= static_cast<unsigned>(votes[i]) << i;
  return result;
}
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __ffs(unsigned bits) { return __builtin_ffs(static_cast<int>(bits)); }

// The runtime: one device, whose memory is this memory, filled with junk to catch what nobody has set.
typedef int cudaError_t;
typedef void* cudaStream_t;
struct cudaDeviceProp {
  char name[256];
};
enum { cudaSuccess = 0, cudaErrorMemoryAllocation = 2, cudaErrorNotReady = 600 };
enum { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
inline const char* cudaGetErrorString(cudaError_t) { return "emulated error"; }
inline cudaError_t cudaMallocAsync(void** data, std::size_t size, cudaStream_t) {
  if (!(*data = std::malloc(size))) return cudaErrorMemoryAllocation;
  std::memset(*data, 0xAB, size);
  return cudaSuccess;
}
inline cudaError_t cudaFreeAsync(void* data, cudaStream_t) { return std::free(data), cudaSuccess; }
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, int, cudaStream_t) {
  return std::memcpy(to, from, size), cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void* data, int value, std::size_t size, cudaStream_t) {
  return std::memset(data, value, size), cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamQuery(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* device, int) {
  return std::strcpy(device->name, "emulated"), cudaSuccess;
}

namespace consilience::cuda {
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), std::int64_t blocks, int threads, cudaStream_t,
            Arguments... arguments) {
  blockDim = {static_cast<unsigned>(threads), 1, 1};
  emulate::body = [=] { kernel(arguments...); };
  for (std::int64_t block = 0; block < blocks; block++) {
    blockIdx = {static_cast<unsigned>(block), 0, 0};
    emulate::run_block(threads);
  }
}
}  // namespace consilience::cuda
