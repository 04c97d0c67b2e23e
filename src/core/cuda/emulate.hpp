// CUDA on the CPU, for tests: enough of the language and its runtime to run this folder's sources where no
// GPU is.
//
// The threads of a block are fibers of one CPU thread. A fiber runs until it meets a barrier or a warp
// operation, then hands over to the next; when all have arrived, they go on. Blocks run one after another.
// This checks indices, logic and arithmetic. It cannot see races between barriers, nor say anything about
// speed. What a GPU does some time, copies that nobody waits for, is done here as late as it may be.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <utility>
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

// It lives on, to be a thread of the next block. Only its first start needs a context; the rest are jumps, which
// cost far less.
struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(STACK);
  bool started = false, done = false;
  jmp_buf here;
};

// A meeting point: whoever comes early yields until the last has come. Values are exchanged through two
// mailboxes in turn, so that the quick do not overwrite what the slow have not read.
struct Meeting {
  int expected = 0, here = 0;
  unsigned round = 0;
  char mail[2][32][32];
};

// The copies that a thread has sent for, group after group; the last group is still open.
using Copies = std::vector<std::vector<std::pair<void*, const void*>>>;

inline std::vector<Fiber> fibers;
inline jmp_buf scheduler;
inline Meeting barrier;
inline std::vector<Meeting> warps;
inline std::vector<Copies> copies;
inline std::vector<char> memory;  // of the block
inline bool tensor_cores = true;
inline std::function<void()> body;

inline void hand_over() {
  if (!_setjmp(fibers[threadIdx.x].here)) _longjmp(scheduler, 1);
}

inline void meet(Meeting& meeting) {
  const unsigned round = meeting.round;
  if (++meeting.here == meeting.expected) {
    meeting.here = 0;
    meeting.round++;
  }
  while (meeting.round == round) hand_over();
}

// What each thread of the warp says, as each of them hears it.
template <class T> struct Heard {
  const char (*mail)[32];
  T operator[](int lane) const {
    T value;
    std::memcpy(&value, mail[lane], sizeof value);
    return value;
  }
};
template <class T> Heard<T> exchange(const T& value) {
  static_assert(sizeof value <= 32, "the mailboxes are small");
  Meeting& warp = warps[threadIdx.x / 32];
  char (*const mail)[32] = warp.mail[warp.round % 2];
  std::memcpy(mail[threadIdx.x % 32], &value, sizeof value);
  meet(warp);
  return {mail};
}

inline void enter() {
  for (;;) {
    body();
    fibers[threadIdx.x].done = true;
    hand_over();
  }
}

// Returns when the fiber hands over.
inline void resume(Fiber& fiber) {
  if (_setjmp(scheduler)) return;
  if (fiber.started) _longjmp(fiber.here, 1);
  fiber.started = true;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.data();
  fiber.context.uc_stack.ss_size = fiber.stack.size();
  makecontext(&fiber.context, enter, 0);
  setcontext(&fiber.context);
}

inline void run_block(int threads) {
  if (static_cast<int>(fibers.size()) < threads) fibers.resize(threads);
  for (Fiber& fiber : fibers) fiber.done = false;
  warps.assign(threads / 32, Meeting());
  for (auto& warp : warps) warp.expected = 32;
  barrier = Meeting();
  barrier.expected = threads;
  copies.assign(threads, Copies(1));
  std::fill(memory.begin(), memory.end(), static_cast<char>(0xAB));
  for (bool left = true; left;) {
    left = false;
    for (int i = 0; i < threads; i++) {
      if (fibers[i].done) continue;
      threadIdx = {static_cast<unsigned>(i), 0, 0};
      resume(fibers[i]);
      left = true;
    }
  }
}

}  // namespace emulate

inline void __syncthreads() { emulate::meet(emulate::barrier); }
inline void __syncwarp() { emulate::exchange(0); }

template <class T> T __shfl_sync(unsigned, T value, int from) { return emulate::exchange(value)[from % 32]; }
template <class T> T __shfl_xor_sync(unsigned all, T value, int mask) {
  return __shfl_sync(all, value, static_cast<int>(threadIdx.x % 32) ^ mask);
}
inline unsigned __ballot_sync(unsigned, bool vote) {
  const auto votes = emulate::exchange(vote);
  unsigned result = 0;
  for (int i = 0; i < 32; i++) result |= static_cast<unsigned>(votes[i]) << i;
  return result;
}
inline bool __any_sync(unsigned all, bool vote) { return __ballot_sync(all, vote) != 0; }
template <class T, class U> T atomicAdd(T* to, U value) {
  const T before = *to;
  *to += value;
  return before;
}
using std::max;
using std::min;
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
struct cudaFuncAttributes {
  int ptxVersion;
};
enum { cudaDevAttrMultiProcessorCount = 16 };
template <class Kernel> cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, Kernel) {
  return attributes->ptxVersion = emulate::tensor_cores ? 80 : 75, cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* count, int, int) { return *count = 3, cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* device, int) {
  return std::strcpy(device->name, "emulated"), cudaSuccess;
}

namespace consilience::cuda {

inline char* block_memory() {
  char* const start = emulate::memory.data();
  return start + (128 - reinterpret_cast<std::uintptr_t>(start) % 128);
}

template <class... Parameters, class... Arguments>
void launch_with(int memory, void (*kernel)(Parameters...), std::int64_t blocks, int threads, cudaStream_t,
                 Arguments... arguments) {
  if (memory > 99 << 10) throw std::invalid_argument("more memory than a block has on every GPU");
  emulate::memory.resize(memory + 128);
  blockDim = {static_cast<unsigned>(threads), 1, 1};
  emulate::body = [=] { kernel(arguments...); };
  for (std::int64_t block = 0; block < blocks; block++) {
    blockIdx = {static_cast<unsigned>(block), 0, 0};
    emulate::run_block(threads);
  }
}
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), std::int64_t blocks, int threads, cudaStream_t stream,
            Arguments... arguments) {
  launch_with(0, kernel, blocks, threads, stream, arguments...);
}

// The instructions of mma.cuh.
inline void copy_async(void* to, const void* from) {
  if ((reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from)) % 16)
    throw std::invalid_argument("a copy that is not aligned");
  emulate::copies[threadIdx.x].back().emplace_back(to, from);
}
inline void end_copies() { emulate::copies[threadIdx.x].emplace_back(); }
template <int LATER> void wait_for_copies() {
  emulate::Copies& groups = emulate::copies[threadIdx.x];
  while (groups.size() > LATER + 1) {
    for (const auto& [to, from] : groups.front()) std::memcpy(to, from, 16);
    groups.erase(groups.begin());
  }
}

inline void load_blocks(std::uint32_t (&words)[4], const void* row) {
  const auto rows = emulate::exchange(row);
  const int lane = threadIdx.x % 32;
  for (int block = 0; block < 4; block++)
    std::memcpy(&words[block], static_cast<const char*>(rows[block * 8 + lane / 4]) + lane % 4 * 4, 4);
}

// c plus the products, as a tensor core adds: all cut off below the 24th bit of the largest exponent, and the sum
// cut again.
inline float cut_sum(double c, const double* products, int count) {
  int largest = -10000;
  for (int p = -1; p < count; p++) {
    const double term = p < 0 ? c : products[p];
    if (term != 0) largest = std::max(largest, std::ilogb(term));
  }
  if (largest == -10000) return 0;
  const double unit = std::ldexp(1.0, largest - 23);
  double sum = std::trunc(c / unit);
  for (int p = 0; p < count; p++) sum += std::trunc(products[p] / unit);
  sum *= unit;
  float cut = static_cast<float>(sum);
  if (std::abs(static_cast<double>(cut)) > std::abs(sum)) cut = std::nextafterf(cut, 0);
  return cut;
}

struct Fragments {
  std::uint32_t a[4], b[2];
};

// Rows l / 4 and l / 4 + 8, columns 2 (l % 4) and the next; each word holds a unit of tf32, or two of bf16. Products
// are taken four at a time, as by the tensor cores that cut most often.
template <bool HALVES>
void multiply_add(float* sum_0, float* sum_8, const std::uint32_t (&a)[4], std::uint32_t b_0,
                  std::uint32_t b_1) {
  const auto all = emulate::exchange(Fragments{{a[0], a[1], a[2], a[3]}, {b_0, b_1}});
  const int lane = threadIdx.x % 32;
  const auto number = [](std::uint32_t word, int half) {
    const std::uint32_t bits = !HALVES ? word & 0xffffe000u : half ? word & 0xffff0000u : word << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return static_cast<double>(value);
  };
  for (int c = 0; c < 4; c++) {
    float& sum = c < 2 ? sum_0[c] : sum_8[c - 2];
    const int row = lane / 4, column = lane % 4 * 2 + c % 2;
    for (int word = 0; word < 2; word++)
      for (int half = 0; half <= HALVES; half++) {
        double products[4];
        for (int t = 0; t < 4; t++)
          products[t] =
              number(all[row * 4 + t].a[c / 2 + 2 * word], half) * number(all[column * 4 + t].b[word], half);
        sum = cut_sum(sum, products, 4);
      }
  }
}
inline void multiply_add_tf32(float* sum_0, float* sum_8, const std::uint32_t (&a)[4], std::uint32_t b_0,
                              std::uint32_t b_1) {
  multiply_add<false>(sum_0, sum_8, a, b_0, b_1);
}
inline void multiply_add_bf16(float* sum_0, float* sum_8, const std::uint32_t (&a)[4], std::uint32_t b_0,
                              std::uint32_t b_1) {
  multiply_add<true>(sum_0, sum_8, a, b_0, b_1);
}

}  // namespace consilience::cuda
