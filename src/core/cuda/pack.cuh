// From somebody's array on the device to plain rows, shifted and scaled. Read beside ../pack.cpp.
#pragma once
#include <type_traits>

#include "../pack.hpp"
#include "device.cuh"

namespace consilience::cuda {

// Tiles need not look where the rows end: there are zeros up to the next multiple of PADDING rows, and of 64 bytes
// in each row.
constexpr std::int64_t PADDING = 256;

inline std::int64_t blocks_for(std::int64_t threads, int per_block) {
  return (threads + per_block - 1) / per_block;
}
inline std::int64_t padded_to(std::int64_t multiple, std::int64_t count) {
  return (count + multiple - 1) / multiple * multiple;
}

template <class Value> using ScoreOf = std::conditional_t<std::is_same_v<Value, double>, double, float>;

// Rows ready to be multiplied, in the device's memory, row by row.
template <class Value> struct Rows {
  const Value* values;
  const ScoreOf<Value>* bias;
  std::int64_t n, d;  // d with the padding
};

template <class Value> struct Packed {
  Memory<Value> values;
  Memory<ScoreOf<Value>> bias;   // what a score gains in this row's column; minus infinity in the padding
  Memory<double> lengths, gaps;  // of each row, and how far what is stored lies from it
  std::int64_t n = 0, d = 0;

  Packed() = default;
  Packed(std::int64_t n, std::int64_t units, cudaStream_t stream)
      : values(padded_to(PADDING, n) * padded_to(64 / sizeof(Value), units), stream),
        bias(padded_to(PADDING, n), stream),
        lengths(n, stream),
        gaps(n, stream),
        n(n),
        d(padded_to(64 / sizeof(Value), units)) {}
  Rows<Value> rows() const { return {values.data, bias.data, n, d}; }
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

// What a score gains in a row's column, so that scores compare as distances do (half_square: minus half the squared
// length, of what is stored), or as products do of rows that have been shifted (along_shift: the product with it).
enum class Bias { none, half_square, along_shift };

// What becomes of rows before they are multiplied: (row / its length - shift) * scale; lengths and shift may be null.
struct Frame {
  const double* lengths;
  const double* shift;
  double scale;
  Bias bias;
};

// Half a warp a row.
template <class Arithmetic, class Value = typename Arithmetic::Value>
__global__ void fill(View view, Frame frame, std::int64_t rows, std::int64_t d, Value* values,
                     ScoreOf<Value>* bias, double* lengths, double* gaps) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
  const bool inside = i < view.n;
  double square = 0, stored_square = 0, gap = 0, along_shift = 0;
  if (i < rows)
    for (std::int64_t t = threadIdx.x % LANES; t < d; t += LANES) {
      const double shift = frame.shift && t < view.d ? frame.shift[t] : 0;
      const double x =
          inside && t < view.d ? (element(view, frame.lengths, i, t) - shift) * frame.scale : 0.0;
      const Value stored = Arithmetic::stored(x);
      values[i * d + t] = stored;
      square += x * x;
      stored_square += static_cast<double>(stored) * stored;
      gap += (x - stored) * (x - stored);
      along_shift += x * shift;
    }
  square = sum_of_lanes(square);
  stored_square = sum_of_lanes(stored_square);
  gap = sum_of_lanes(gap);
  along_shift = sum_of_lanes(along_shift);
  if (i >= rows || threadIdx.x % LANES != 0) return;
  bias[i] = static_cast<ScoreOf<Value>>(!inside                           ? -INFINITY
                                        : frame.bias == Bias::none        ? 0.0
                                        : frame.bias == Bias::half_square ? -0.5 * stored_square
                                                                          : along_shift);
  if (!inside) return;
  lengths[i] = std::sqrt(square);
  gaps[i] = std::sqrt(gap);
}

inline Memory<double> means(const View& view, cudaStream_t stream, const double* lengths = nullptr) {
  const std::int64_t slabs = std::min<std::int64_t>(view.n, 256), rows = (view.n + slabs - 1) / slabs;
  const std::int64_t filled = (view.n + rows - 1) / rows;
  Memory<double> sums(slabs * view.d, stream), mean(view.d, stream);
  launch(sum_slabs, blocks_for(slabs * view.d, THREADS), THREADS, stream, view, lengths, rows, sums.data);
  launch(mean_of_slabs, blocks_for(view.d, THREADS), THREADS, stream, filled, view.n, view.d, sums.data,
         mean.data);
  return mean;
}

inline Memory<double> squares(const View& view, const double* shift, cudaStream_t stream,
                              const double* lengths = nullptr) {
  Memory<double> squares(view.n, stream);
  launch(sum_squares, blocks_for(view.n * LANES, THREADS), THREADS, stream, view, lengths, shift,
         squares.data);
  return squares;
}

template <class Arithmetic>
Packed<typename Arithmetic::Value> pack(const View& view, const Frame& frame, cudaStream_t stream) {
  Packed<typename Arithmetic::Value> packed(view.n, view.d, stream);
  const std::int64_t rows = packed.bias.count;
  launch(fill<Arithmetic>, blocks_for(rows * LANES, THREADS), THREADS, stream, view, frame, rows, packed.d,
         packed.values.data, packed.bias.data, packed.lengths.data, packed.gaps.data);
  return packed;
}

// See ../pack.hpp.
struct Centred {
  const View& view;
  Memory<double> lengths, mean;
  std::vector<double> squares;

  Centred(const View& view, bool unit_rows, cudaStream_t stream) : view(view) {
    if (unit_rows) lengths = roots(cuda::squares(view, nullptr, stream).all(), stream);
    mean = means(view, stream, lengths.data);
    squares = cuda::squares(view, mean.data, stream, lengths.data).all();
  }

  static Memory<double> roots(std::vector<double> values, cudaStream_t stream) {
    for (double& value : values) value = std::sqrt(value);
    return Memory<double>::from(values, stream);
  }
};

}  // namespace consilience::cuda
