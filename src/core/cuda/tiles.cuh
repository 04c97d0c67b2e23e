// The main loops on the GPU: read beside ../tiles.hpp.
//
// A block of 256 threads has one tile of a similarity matrix at a time, spread over its registers, and hands it to a
// reducer. How the tile is multiplied is the arithmetic's own business (fma.cuh, tensor.cuh): here it is only known
// that a thread has ROWS x COLUMNS entries of it, and which.
#pragma once
#include "fma.cuh"
#include "tensor.cuh"

namespace consilience::cuda {

// Multiplications of one row of a tile between two looks for a Ctrl-C: a tenth of a second on fast GPUs.
constexpr std::int64_t ROW_AT_ONCE = std::int64_t(1) << 31;

// How many blocks are launched at once, if the work of each is so many multiplications a row: all processors are
// kept busy, for a while.
inline std::int64_t blocks_at_once(std::int64_t multiplications) {
  return multiprocessors() * std::clamp<std::int64_t>(ROW_AT_ONCE / multiplications, 1, 1024);
}

// One row of a finished tile. A warp looks at all columns at once, and goes on only if one matters.
template <int WIDTH, class Value, class Score, class Reducer>
__device__ inline void look_at(const Score* line, const Score (&bias)[WIDTH / WARP], const Rows<Value>& B,
                               std::int64_t row, std::int64_t column, const Reducer& reducer) {
  const int lane = threadIdx.x % WARP;
  bool matters = false;
#pragma unroll
  for (int c = 0; c < WIDTH; c += WARP) matters |= reducer.matters(row, line[c + lane] + bias[c / WARP]);
  if (!__any_sync(ALL, matters)) return;
#pragma unroll 1
  for (int c = lane; c < WIDTH; c += WARP) reducer.meet(row, column + c, line[c] + B.bias[column + c]);
}

// A block owns rows of A and walks over columns, so what its reducer keeps for a row needs no lock: over all
// columns, or, if the reducer can bear it, over `span` of them, and other blocks over the others. reducer.matters(row,
// score) says whether the row need meet a column with that score; reducer.meet(row, column, score) is called by whole
// warps: one row, 32 columns, one each thread; columns beyond the last come with a score of minus infinity.
//
// A finished tile passes through the block's memory a few rows at a time, one of each slot, because the entries of a
// row lie in several warps, and its reducer wants them in one.
template <class Tile, class Reducer, class Value = typename Tile::Value>
__global__ void __launch_bounds__(THREADS, 1)
    walk_over(Rows<Value> A, Rows<Value> B, std::int64_t first_row, std::int64_t down, std::int64_t span,
              Reducer reducer) {
  using Score = ScoreOf<Value>;
  constexpr int SLOTS = Tile::HEIGHT / Tile::ROWS, PITCH = Tile::WIDTH + 4;
  char* const slabs = block_memory();
  Score* const lines = reinterpret_cast<Score*>(slabs + Tile::MEMORY);  // one of each slot
  const int lane = threadIdx.x % WARP;
  const std::int64_t row = first_row + blockIdx.x % down * Tile::HEIGHT;
  const std::int64_t begin = blockIdx.x / down * span, end = min(begin + span, B.n);

  Tile::begin(A, row, B, begin, slabs);
  for (std::int64_t column = begin; column < end; column += Tile::WIDTH) {
    Score sum[Tile::ROWS][Tile::COLUMNS] = {};
    Tile::multiply(A, row, B, column, slabs, sum);
    if (column + Tile::WIDTH < end) Tile::begin(A, row, B, column + Tile::WIDTH, slabs);

    Score bias[Tile::WIDTH / WARP];
#pragma unroll
    for (int c = 0; c < Tile::WIDTH; c += WARP) bias[c / WARP] = B.bias[column + c + lane];
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++) {
      __syncthreads();  // the lines before have been read
#pragma unroll
      for (int c = 0; c < Tile::COLUMNS; c++) lines[Tile::slot() * PITCH + Tile::column(c)] = sum[r][c];
      __syncthreads();
#pragma unroll 1
      for (int slot = threadIdx.x / WARP; slot < SLOTS; slot += WARPS) {
        const std::int64_t i = row + Tile::row(slot, r);
        if (i < A.n) look_at<Tile::WIDTH>(lines + slot * PITCH, bias, B, i, column, reducer);
      }
    }
  }
}

// All tiles of A B'. With split = true several blocks share rows that are too few to keep the GPU busy.
template <class Arithmetic, class Reducer, class Value = typename Arithmetic::Value>
void for_tiles(const Rows<Value>& A, const Rows<Value>& B, bool split, const Reducer& reducer,
               cudaStream_t stream, const Poll& poll) {
  using Tile = typename Arithmetic::Wide;
  constexpr int MEMORY =
      Tile::MEMORY + Tile::HEIGHT / Tile::ROWS * (Tile::WIDTH + 4) * sizeof(ScoreOf<Value>);
  const std::int64_t tiles_down = blocks_for(A.n, Tile::HEIGHT), tiles_across = blocks_for(B.n, Tile::WIDTH);
  const std::int64_t parts =
      split ? std::clamp<std::int64_t>(2 * multiprocessors() / tiles_down, 1, tiles_across) : 1;
  const std::int64_t span = blocks_for(tiles_across, static_cast<int>(parts)) * Tile::WIDTH;
  const std::int64_t at_once = blocks_at_once(B.n * B.d);
  for (std::int64_t first = 0; first < tiles_down; first += at_once) {
    const std::int64_t down = std::min(at_once, tiles_down - first);
    launch_with(MEMORY, walk_over<Tile, Reducer>, down * blocks_for(B.n, static_cast<int>(span)), THREADS,
                stream, A, B, first * Tile::HEIGHT, down, span, reducer);
    wait(stream, poll, share_done(first + down, tiles_down));
  }
}

// How the tiles on and above the diagonal are cut into runs, one for each block. Blocks that work at the same time
// are a square of tiles, GROUP high, so that they find each other's rows and columns in the cache. Nothing here
// depends on the machine.
struct Runs {
  static constexpr std::int64_t GROUP = 16;
  std::int64_t tiles, length, in_a_row;

  explicit Runs(std::int64_t tiles)
      : tiles(tiles),
        length(std::max<std::int64_t>(tiles / 32, 1)),
        in_a_row((tiles + length - 1) / length) {}

  std::int64_t count() const { return (tiles + GROUP - 1) / GROUP * GROUP * in_a_row; }
  __device__ std::int64_t row(std::int64_t run) const {
    return run / (GROUP * in_a_row) * GROUP + run % GROUP;
  }
  __device__ std::int64_t first(std::int64_t run) const { return run % (GROUP * in_a_row) / GROUP * length; }
};

// The same tiles of A A' and of B B', on and above the diagonal, side by side. Each thread has a reducer of its own,
// which stays in registers: reducer.meet<Tile>(row, column, k, l) gets the thread's entries of the two tiles at
// (row, column), which stand for those below the diagonal too; reducer.finish(run) is called at the end of a run.
template <class Tile, class Reducer, class Value = typename Tile::Value>
__global__ void __launch_bounds__(THREADS, 1)
    walk_over_pairs(Rows<Value> A, Rows<Value> B, Runs runs, std::int64_t first_run, Reducer reducer) {
  using Score = ScoreOf<Value>;
  char* const slabs = block_memory();
  const std::int64_t run = first_run + blockIdx.x, I = runs.row(run), start = runs.first(run);
  const std::int64_t row = I * Tile::HEIGHT, end = min(start + runs.length, runs.tiles);
  std::int64_t J = max(start, I);
  if (I < runs.tiles && J < end) Tile::begin(A, row, A, J * Tile::WIDTH, slabs);
  for (; I < runs.tiles && J < end; J++) {
    const std::int64_t column = J * Tile::WIDTH;
    Score k[Tile::ROWS][Tile::COLUMNS] = {}, l[Tile::ROWS][Tile::COLUMNS] = {};
    Tile::multiply(A, row, A, column, slabs, k);
    Tile::begin(B, row, B, column, slabs);
    Tile::multiply(B, row, B, column, slabs, l);
    if (J + 1 < end) Tile::begin(A, row, A, column + Tile::WIDTH, slabs);
    reducer.template meet<Tile>(row, column, k, l);
  }
  reducer.finish(run);
}

template <class Arithmetic, class Reducer, class Value = typename Arithmetic::Value>
void for_tile_pairs(const Rows<Value>& A, const Rows<Value>& B, const Runs& runs, const Reducer& reducer,
                    cudaStream_t stream, const Poll& poll) {
  using Tile = typename Arithmetic::Narrow;
  static_assert(Tile::HEIGHT == Tile::WIDTH, "a diagonal goes through square tiles");
  const std::int64_t count = runs.count();
  const std::int64_t at_once = blocks_at_once(runs.length * Tile::WIDTH * (A.d + B.d));
  for (std::int64_t first = 0; first < count; first += at_once) {
    const std::int64_t some = std::min(at_once, count - first);
    launch_with(Tile::MEMORY, walk_over_pairs<Tile, Reducer>, some, THREADS, stream, A, B, runs, first,
                reducer);
    wait(stream, poll, share_done(first + some, count));
  }
}

// Keeps: COUNT sums over all tiles. Memory: 8 COUNT bytes a run, and of each thread in registers. Order: fixed. A
// thread's tiles come in order, threads are added as a tree, and warps and runs in theirs.
template <int COUNT> struct Totals {
  double* runs;  // [runs][COUNT]
  double mine[COUNT];

  __device__ void finish(std::int64_t run) const {
    double* const warps = reinterpret_cast<double*>(block_memory());  // [WARPS][COUNT]
#pragma unroll
    for (int s = 0; s < COUNT; s++) {
      double sum = mine[s];
      for (int half = WARP / 2; half > 0; half /= 2) sum += __shfl_xor_sync(ALL, sum, half);
      if (threadIdx.x % WARP == 0) warps[threadIdx.x / WARP * COUNT + s] = sum;
    }
    __syncthreads();
    if (threadIdx.x >= COUNT) return;
    double sum = 0;
    for (int w = 0; w < WARPS; w++) sum += warps[w * COUNT + threadIdx.x];
    runs[run * COUNT + threadIdx.x] = sum;
  }
};

}  // namespace consilience::cuda
