// What every CUDA file here needs: errors as exceptions, memory that frees itself, launches.
#pragma once
#ifdef CONSILIENCE_EMULATE
#include "emulate.hpp"
#else
#include <cuda_runtime.h>
#endif

#include <stdexcept>
#include <string>

#include "../workers.hpp"
#include "precision.hpp"

namespace consilience::cuda {

constexpr int WARP = 32;
constexpr int THREADS = 256, WARPS = THREADS / WARP;  // of a block, in every launch
constexpr unsigned ALL = 0xffffffffu;                 // every thread of a warp takes part

inline void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

#ifndef CONSILIENCE_EMULATE
// The memory that the threads of a block share.
__device__ inline char* block_memory() {
  extern __shared__ __align__(128) char memory[];
  return memory;
}

// With `memory` bytes of it.
template <class... Parameters, class... Arguments>
void launch_with(int memory, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
                 cudaStream_t stream, Arguments... arguments) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, memory));
  kernel<<<static_cast<unsigned>(blocks), threads, memory, stream>>>(arguments...);
  check(cudaGetLastError());
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), std::int64_t blocks, int threads, cudaStream_t stream,
            Arguments... arguments) {
  kernel<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(arguments...);
  check(cudaGetLastError());
}
#endif

// Memory of the device, in the order of a stream: freed when the work queued before is done.
template <class T> struct Memory {
  T* data = nullptr;
  std::int64_t count = 0;
  cudaStream_t stream = nullptr;
  Memory() = default;
  Memory(std::int64_t count, cudaStream_t stream) : count(count), stream(stream) {
    check(cudaMallocAsync(reinterpret_cast<void**>(&data), count * sizeof(T) + 16, stream));
  }
  Memory(Memory&& other) noexcept : data(other.data), count(other.count), stream(other.stream) {
    other.data = nullptr;
  }
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data, other.data);
    std::swap(count, other.count);
    std::swap(stream, other.stream);
    return *this;
  }
  ~Memory() {
    if (data) cudaFreeAsync(data, stream);
  }

  static Memory from(const std::vector<T>& values, cudaStream_t stream) {
    Memory memory(static_cast<std::int64_t>(values.size()), stream);
    check(cudaMemcpyAsync(memory.data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice,
                          stream));
    check(cudaStreamSynchronize(stream));  // the values may go
    return memory;
  }
  std::vector<T> part(std::int64_t first, std::int64_t length) const {
    std::vector<T> values(length);
    check(cudaMemcpyAsync(values.data(), data + first, length * sizeof(T), cudaMemcpyDeviceToHost, stream));
    check(cudaStreamSynchronize(stream));
    return values;
  }
  std::vector<T> all() const { return part(0, count); }
};

namespace {  // each source has its own
__global__ void any_kernel() {}
}  // namespace

// Of the current device: whether the kernels that it would run here were compiled for tensor cores. That asks both
// the GPU and this build.
inline bool has_tensor_cores() {
  cudaFuncAttributes attributes;
  check(cudaFuncGetAttributes(&attributes, any_kernel));
  return attributes.ptxVersion >= 80;
}

// What was asked for, if this GPU has it; `best` where that was left to us.
inline Precision choose(Precision asked, Precision best) {
  if (asked == Precision::float32) return asked;
  const bool can = has_tensor_cores();
  if (asked == Precision::automatic) return can ? best : Precision::float32;
  if (!can) throw std::invalid_argument("this GPU, or this build, has no tensor cores; use float32");
  return asked;
}

inline int multiprocessors() {
  int device, count;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return count;
}

// Makes a device the current one for as long as this lives.
struct OnDevice {
  int before = 0;
  explicit OnDevice(int device) {
    check(cudaGetDevice(&before));
    check(cudaSetDevice(device));
  }
  ~OnDevice() { cudaSetDevice(before); }
};

// Waits for a stream, but listens for a Ctrl-C. What was queued still runs to its end. `share` is what will be done
// of the present pass when it has.
inline void wait(cudaStream_t stream, const Poll& poll, double share = 1) {
  cudaError_t state;
  while ((state = cudaStreamQuery(stream)) == cudaErrorNotReady) {
    poll(share);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  check(state);
}

}  // namespace consilience::cuda
