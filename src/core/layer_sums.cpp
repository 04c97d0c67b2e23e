#include "layer_sums.hpp"

#include "kernel_tiles.hpp"

namespace consilience {

namespace {

constexpr std::int64_t AT_ONCE = 256;  // runs between two times that sums are added up

// Keeps: sums of products for each run of tiles, until they are added up, and for the kernels of a distance the
// sum of each row. Memory: 8 bytes a pair of layers and run, of AT_ONCE runs; 8 a layer and row. Order: a run's
// tiles come in order and runs are added up in theirs; row sums are fixed point numbers, whose sum has no order.
template <class Rows> struct Sums {
  using T = typename Rows::Score;
  Kernel kernel;
  T shift;
  const std::vector<Rows>& layers;
  std::size_t pairs;
  std::vector<double> of_runs;
  std::vector<Fixed> rows;

  Sums(Kernel kernel, double shift, const std::vector<Rows>& layers)
      : kernel(kernel), shift(static_cast<T>(shift)), layers(layers), pairs(layers.size() * layers.size()) {
    if (of_distance(kernel))
      for (const auto& layer : layers) rows.emplace_back(layer.n);
  }

  void operator()(std::int64_t run, const std::vector<Tile<T>>& tiles, const Kernels<T>& kernels) {
    for (std::size_t l = 0; l < tiles.size(); l++) {
      evaluate(tiles[l], layers[l], kernel, shift, kernels);
      if (of_distance(kernel)) add_rows(tiles[l], kernels, rows[l]);
    }
    const Tile<T>& first = tiles[0];
    std::vector<double> sums(pairs);
    for (int r = 0; r < first.rows; r += PANEL)  // so few rows of all layers stay in the second cache
      kernels.sum_pairs(std::min(PANEL, first.rows - r), panels_of(first), static_cast<int>(tiles.size()),
                        first.line(r), first.stride * first.stride, first.stride, sums.data());
    double* const to = of_runs.data() + run % AT_ONCE * pairs;
    for (std::size_t p = 0; p < pairs; p++) to[p] += first.mirrored ? 2 * sums[p] : sums[p];
  }

  void add_up(double* products) const {
    for (std::size_t at = 0; at < of_runs.size(); at++) products[at % pairs] += of_runs[at];
  }
};

template <class Rows>
void sum_tiles(const Isa& isa, const std::vector<Rows>& layers, Kernel kernel, double shift,
               const Workers& workers, const LayerSums& to) {
  const std::int64_t count = static_cast<std::int64_t>(layers.size()), n = layers[0].n;
  std::int64_t d = 0;
  std::vector<const Rows*> stack;
  for (const Rows& layer : layers) {
    d += layer.d;
    stack.push_back(&layer);
  }

  Sums<Rows> sums(kernel, shift, layers);
  const Runs runs(n, n, d, edge_of(isa, layers[0]));
  std::fill(to.products, to.products + sums.pairs, 0.0);
  for (std::int64_t first = 0; first < runs.count(); first += AT_ONCE) {
    const std::int64_t last = std::min(first + AT_ONCE, runs.count());
    const Workers some{workers.threads,
                       [&](double share) { workers.poll((first + share * (last - first)) / runs.count()); }};
    sums.of_runs.assign((last - first) * sums.pairs, 0.0);
    for_tile_stacks(isa, stack, runs, first, last, some, sums);
    sums.add_up(to.products);
  }

  for (std::int64_t l = 0; l < count; l++) {
    if (of_distance(kernel)) sums.rows[l].write(to.rows + l * n);
    for (std::int64_t m = 0; m < l; m++) to.products[l * count + m] = to.products[m * count + l];
  }
}

}  // namespace

void layer_sums(const Isa& isa, const std::vector<View>& layers, Kernel kernel,
                const std::vector<double>& spreads, double shift, Arithmetic arithmetic,
                const Workers& workers, const LayerSums& sums) {
  std::vector<Centred> centred;
  std::vector<double> scales;
  double longest = 0;
  for (std::size_t l = 0; l < layers.size(); l++) {
    const Centred& rows = centred.emplace_back(layers[l], kernel == Kernel::cosine, workers);
    scales.push_back(scale_for(kernel, mean_square(rows.squares), spreads[l]));
    longest = std::max(longest, longest_row(rows.squares) * scales[l]);
    const std::size_t at = l * rows.squares.size();
    write_known(kernel, shift, rows.squares, scales[l], sums.diagonals + at, sums.rows + at);
  }
  with_rows(isa, enough(arithmetic, kernel, longest), workers, [&](auto rows) {
    std::vector<decltype(rows(centred[0], 1.0))> packed;
    for (std::size_t l = 0; l < centred.size(); l++) packed.push_back(rows(centred[l], scales[l]));
    sum_tiles(isa, packed, kernel, shift, workers, sums);
  });
}

}  // namespace consilience
