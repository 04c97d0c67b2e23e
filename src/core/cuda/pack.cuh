// From somebody's array on the device to plain rows, shifted and scaled. Read beside ../pack.cpp.
#pragma once
#include "../pack.hpp"
#include "device.cuh"

namespace consilience::cuda {

// Rows ready to be multiplied, in the device's memory, row by row.
template <class T> struct Rows {
  const T* values;
  const T* bias;
  std::int64_t n, d;
};

template <class T> struct Packed {
  Memory<T> values, bias;
  std::int64_t n = 0, d = 0;
  Rows<T> rows() const { return {values.data, bias.data, n, d}; }
};

__device__ inline double element(const View& view, std::int64_t i, std::int64_t t) {
  const std::int64_t at = i * view.row_stride + t * view.column_stride;
  switch (view.type) {
    case Type::f16: return static_cast<const Half*>(view.data)[at];
    case Type::bf16: return static_cast<const Bfloat16*>(view.data)[at];
    case Type::f32: return static_cast<const float*>(view.data)[at];
    default: return static_cast<const double*>(view.data)[at];
  }
}

// The same of a row brought to length one, where its length is given.
__device__ inline double element(const View& view, const double* lengths, std::int64_t i, std::int64_t t) {
  return lengths ? element(view, i, t) / lengths[i] : element(view, i, t);
}

// Adds up sixteen lanes, held by sixteen neighbouring threads, as the definition has it; the first of them
// gets the sum.
__device__ inline double sum_of_lanes(double lane) {
  for (int half = LANES / 2; half > 0; half /= 2) lane += __shfl_xor_sync(ALL, lane, half);
  return lane;
}

namespace {  // each source has its own

// One thread a unit and slab of rows; slabs are added up later.
__global__ void sum_slabs(View view, const double* lengths, std::int64_t rows, double* sums) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t slab = at / view.d, t = at % view.d;
  if (slab * rows >= view.n) return;
  double sum = 0;
  for (std::int64_t i = slab * rows; i < view.n && i < (slab + 1) * rows; i++)
    sum += element(view, lengths, i, t);
  sums[slab * view.d + t] = sum;
}

__global__ void mean_of_slabs(std::int64_t slabs, std::int64_t n, std::int64_t d, const double* sums,
                              double* mean) {
  const std::int64_t t = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (t >= d) return;
  double sum = 0;
  for (std::int64_t slab = 0; slab < slabs; slab++) sum += sums[slab * d + t];
  mean[t] = sum / static_cast<double>(n);
}

// Half a warp a row.
__global__ void sum_squares(View view, const double* lengths, const double* shift, double* squares) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
  double lane = 0;
  if (i < view.n)
    for (std::int64_t t = threadIdx.x % LANES; t < view.d; t += LANES) {
      const double x = element(view, lengths, i, t) - (shift ? shift[t] : 0.0);
      lane += x * x;
    }
  const double sum = sum_of_lanes(lane);
  if (i < view.n && threadIdx.x % LANES == 0) squares[i] = sum;
}

}  // namespace

template <class T>
__global__ void fill(View view, Similarity similarity, const double* shift, const double* squares,
                     double scale, T* values, T* bias) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t i = at / view.d, t = at % view.d;
  if (i >= view.n) return;
  const double factor = similarity == Similarity::cosine ? 1 / std::sqrt(squares[i]) : scale;
  values[at] = static_cast<T>((element(view, i, t) - (shift ? shift[t] : 0.0)) * factor);
  if (t == 0)
    bias[i] =
        similarity == Similarity::euclidean ? static_cast<T>(-0.5 * squares[i] * factor * factor) : T(0);
}

// Rows of length one if their lengths are given, centred, times `scale`; the bias is minus half the square of
// their length.
template <class T>
__global__ void fill_centred(View view, const double* lengths, const double* mean, const double* squares,
                             double scale, T* values, T* bias) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t i = at / view.d, t = at % view.d;
  if (i >= view.n) return;
  values[at] = static_cast<T>((element(view, lengths, i, t) - mean[t]) * scale);
  if (t == 0) bias[i] = static_cast<T>(-0.5 * squares[i] * scale * scale);
}

inline std::int64_t blocks_for(std::int64_t threads, int per_block) {
  return (threads + per_block - 1) / per_block;
}

inline Memory<double> means(const View& view, cudaStream_t stream, const double* lengths = nullptr) {
  const std::int64_t slabs = std::min<std::int64_t>(view.n, 256), rows = (view.n + slabs - 1) / slabs;
  const std::int64_t filled = (view.n + rows - 1) / rows;
  Memory<double> sums(slabs * view.d, stream), mean(view.d, stream);
  launch(sum_slabs, blocks_for(slabs * view.d, 256), 256, stream, view, lengths, rows, sums.data);
  launch(mean_of_slabs, blocks_for(view.d, 256), 256, stream, filled, view.n, view.d, sums.data, mean.data);
  return mean;
}

inline Memory<double> squares(const View& view, const double* shift, cudaStream_t stream,
                              const double* lengths = nullptr) {
  Memory<double> squares(view.n, stream);
  launch(sum_squares, blocks_for(view.n * LANES, 256), 256, stream, view, lengths, shift, squares.data);
  return squares;
}

template <class T>
Packed<T> pack(const View& view, Similarity similarity, const double* shift, const double* squares,
               double scale, cudaStream_t stream) {
  Packed<T> packed{Memory<T>(view.n * view.d, stream), Memory<T>(view.n, stream), view.n, view.d};
  launch(fill<T>, blocks_for(view.n * view.d, 256), 256, stream, view, similarity, shift, squares, scale,
         packed.values.data, packed.bias.data);
  return packed;
}

// See ../pack.hpp. The squared lengths are also wanted in main memory.
struct Centred {
  const View& view;
  Memory<double> lengths, mean, squares_there;
  std::vector<double> squares;

  Centred(const View& view, bool unit_rows, cudaStream_t stream) : view(view) {
    if (unit_rows) {
      std::vector<double> roots = cuda::squares(view, nullptr, stream).all();
      for (double& root : roots) root = std::sqrt(root);
      lengths = Memory<double>::from(roots, stream);
    }
    mean = means(view, stream, lengths.data);
    squares_there = cuda::squares(view, mean.data, stream, lengths.data);
    squares = squares_there.all();
  }
};

template <class T> Packed<T> pack(const Centred& rows, double scale, cudaStream_t stream) {
  const std::int64_t n = rows.view.n, d = rows.view.d;
  Packed<T> packed{Memory<T>(n * d, stream), Memory<T>(n, stream), n, d};
  launch(fill_centred<T>, blocks_for(n * d, 256), 256, stream, rows.view,
         static_cast<const double*>(rows.lengths.data), static_cast<const double*>(rows.mean.data),
         static_cast<const double*>(rows.squares_there.data), scale, packed.values.data, packed.bias.data);
  return packed;
}

// See ../pack.hpp. What the device needs to know of series to read them.
struct SeriesThere {
  View view;
  const double *mean, *squares;
};

__device__ inline double element(const SeriesThere& series, std::int64_t i, std::int64_t t) {
  return (element(series.view, i, t) - element(series.view, i, 0)) - series.mean[i];
}

struct Series {
  View view;
  Memory<double> mean, squares;

  Series(const View& over_time, cudaStream_t stream)
      : view{over_time.data, over_time.type,          over_time.d,
             over_time.n,    over_time.column_stride, over_time.row_stride},
        mean(view.n, stream),
        squares(view.n, stream) {}
  SeriesThere there() const { return {view, mean.data, squares.data}; }
};

namespace {

// Half a warp a series.
__global__ void measure(View view, double* mean, double* squares) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
  const std::int64_t inside = i < view.n ? i : 0, first = threadIdx.x % LANES;
  const double origin = element(view, inside, 0);
  double lane = 0;
  for (std::int64_t t = first; t < view.d; t += LANES) lane += element(view, inside, t) - origin;
  const double own_mean = sum_of_lanes(lane) / static_cast<double>(view.d);
  lane = 0;
  for (std::int64_t t = first; t < view.d; t += LANES) {
    const double x = (element(view, inside, t) - origin) - own_mean;
    lane += x * x;
  }
  const double sum = sum_of_lanes(lane);
  if (i >= view.n || first != 0) return;
  mean[i] = own_mean;
  squares[i] = sum;
}

}  // namespace

template <class T> __global__ void fill_series(SeriesThere series, double sign, T* values, T* bias) {
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t i = at / series.view.d, t = at % series.view.d;
  if (i >= series.view.n) return;
  values[at] = static_cast<T>(element(series, i, t) * (sign / std::sqrt(series.squares[i])));
  if (t == 0) bias[i] = 0;
}

template <class T> Packed<T> pack(const Series& series, double sign, cudaStream_t stream) {
  const std::int64_t n = series.view.n, d = series.view.d;
  launch(measure, blocks_for(n * LANES, 256), 256, stream, series.view, series.mean.data,
         series.squares.data);
  check_squares(series.squares.all());
  Packed<T> packed{Memory<T>(n * d, stream), Memory<T>(n, stream), n, d};
  launch(fill_series<T>, blocks_for(n * d, 256), 256, stream, series.there(), sign, packed.values.data,
         packed.bias.data);
  return packed;
}

}  // namespace consilience::cuda
