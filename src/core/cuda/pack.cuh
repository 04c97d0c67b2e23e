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
  std::int64_t n, d;

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

// See ../pack.hpp. What the device needs to know of series to read them.
struct SeriesThere : View {
  const double *mean, *squares;
};

__device__ inline double element(const SeriesThere& series, std::int64_t i, std::int64_t t) {
  const View& view = series;
  return (element(view, i, t) - element(view, i, 0)) - series.mean[i];
}

// The same of a row brought to length one, where its length is given.
template <class Source>
__device__ inline double element(const Source& rows, const double* lengths, std::int64_t i, std::int64_t t) {
  return lengths ? element(rows, i, t) / lengths[i] : element(rows, i, t);
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
template <class Arithmetic, class Source, class Value = typename Arithmetic::Value>
__global__ void fill(Source source, Frame frame, std::int64_t rows, std::int64_t d, Value* values,
                     ScoreOf<Value>* bias, double* lengths, double* gaps) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
  const bool inside = i < source.n;
  double square = 0, stored_square = 0, gap = 0, along_shift = 0;
  if (i < rows)
    for (std::int64_t t = threadIdx.x % LANES; t < d; t += LANES) {
      const double shift = frame.shift && t < source.d ? frame.shift[t] : 0;
      const double x =
          inside && t < source.d ? (element(source, frame.lengths, i, t) - shift) * frame.scale : 0.0;
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

// From a View, or from series.
template <class Arithmetic, class Source>
Packed<typename Arithmetic::Value> pack(const Source& source, const Frame& frame, cudaStream_t stream) {
  Packed<typename Arithmetic::Value> packed(source.n, source.d, stream);
  const std::int64_t rows = packed.bias.count;
  launch(fill<Arithmetic, Source>, blocks_for(rows * LANES, THREADS), THREADS, stream, source, frame, rows,
         packed.d, packed.values.data, packed.bias.data, packed.lengths.data, packed.gaps.data);
  return packed;
}

inline Memory<double> roots(std::vector<double> values, cudaStream_t stream) {
  for (double& value : values) value = std::sqrt(value);
  return Memory<double>::from(values, stream);
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
};

template <class Arithmetic> auto pack(const Centred& rows, double scale, cudaStream_t stream) {
  return pack<Arithmetic>(rows.view, {rows.lengths.data, rows.mean.data, scale, Bias::half_square}, stream);
}

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

// See ../pack.hpp.
struct Series {
  View view;  // row i is the i-th series
  Memory<double> mean, squares, lengths;

  // The columns of a view; its rows are points in time.
  Series(const View& over_time, cudaStream_t stream)
      : view{over_time.data, over_time.type,          over_time.d,
             over_time.n,    over_time.column_stride, over_time.row_stride},
        mean(view.n, stream),
        squares(view.n, stream) {
    launch(measure, blocks_for(view.n * LANES, THREADS), THREADS, stream, view, mean.data, squares.data);
    const std::vector<double> here = squares.all();
    check_squares(here);
    lengths = roots(here, stream);
  }
  SeriesThere there() const { return {view, mean.data, squares.data}; }
};

// Brought to length one, times `sign`.
template <class Arithmetic> auto pack(const Series& series, double sign, cudaStream_t stream) {
  return pack<Arithmetic>(series.there(), {series.lengths.data, nullptr, sign, Bias::none}, stream);
}

}  // namespace consilience::cuda
