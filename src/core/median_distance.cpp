#include <array>
#include <cmath>

#include "best.hpp"
#include "kernel_sums.hpp"

namespace consilience {

namespace {

constexpr std::int64_t BINS = 1 << 16;  // for halves of squared distances between scaled rows, at most two
constexpr std::int64_t MANY = 32;       // pairs to one that is in doubt, or float64 is faster for all
constexpr std::int64_t PAIRS_AT_ONCE = 1024;

// Keeps: half of every squared distance between scaled rows. Memory: theirs. Order: each has its place. What
// rounding alone could make of two equal rows is no distance.
template <class T> struct Halves {
  const Packed<T>& A;
  std::vector<T> halves;

  explicit Halves(const Packed<T>& A) : A(A), halves(A.n * (A.n - 1) / 2) {}

  void operator()(const Tile<T>& tile, const Kernels<T>&) {
    for (int r = 0; r < tile.rows; r++) {
      const std::int64_t i = tile.row + r, first = std::max(tile.column, i + 1);
      const T *const scores = tile.line(r) - tile.column, *const bias = A.bias.get();
      T* const to = halves.data() + i * (2 * A.n - i - 1) / 2 - i - 1;
      for (std::int64_t j = first; j < tile.column + tile.columns; j++) {
        const T own = bias[i] + bias[j], half = -(scores[j] + own);
        to[j] = half < T(-1e-13) * own ? 0 : half;
      }
    }
  }
};

template <class T>
std::vector<T> halves(const Isa& isa, const Packed<T>& A, const Workers& workers) {
  Halves<T> halves(A);
  for_tiles(isa, A, A, true, workers, halves);
  return std::move(halves.halves);
}

// The median of `all` numbers, of which `below` are known to be less than `values`, and others to be more.
// The numbers are squares, and the median is that of their roots.
double median_root(std::vector<double>& values, std::int64_t all, std::int64_t below) {
  const auto middle = values.begin() + (all / 2 - below);
  std::nth_element(values.begin(), middle, values.end());
  if (all % 2) return std::sqrt(*middle);
  return (std::sqrt(*middle) + std::sqrt(*std::max_element(values.begin(), middle))) / 2;
}

// The pairs of rows whose place among all is in doubt by guesses that may be `off`, and how many are nearer.
struct Doubtful {
  std::int64_t nearer = 0;
  std::vector<std::array<std::int32_t, 2>> pairs;

  Doubtful(const std::vector<float>& halves, std::int64_t n, double off) {
    const auto bin = [](float half) {
      return std::min(static_cast<std::int64_t>(half * (BINS / 2)), BINS - 1);
    };
    std::vector<std::int64_t> counts(BINS);
    for (const float half : halves) counts[bin(half)]++;
    const std::int64_t all = static_cast<std::int64_t>(halves.size());
    const auto bin_of = [&](std::int64_t place) {
      std::int64_t b = 0;
      for (std::int64_t passed = counts[0]; passed <= place; passed += counts[++b]) continue;
      return static_cast<double>(b);
    };
    // The median guess lies in these bins and the true one `off` beyond, where guesses are `off` once more.
    const double from = bin_of((all - 1) / 2) * 2 / BINS, to = (bin_of(all / 2) + 1) * 2 / BINS;
    const float centre = static_cast<float>((from + to) / 2);
    const float reach = static_cast<float>((to - from) / 2 + 2 * off);
    for (const float half : halves) nearer += half - centre < -reach;
    const float* half = halves.data();
    for (std::int64_t i = 0; i < n; i++)
      for (std::int64_t j = i + 1; j < n; j++, half++)
        if (std::fabs(*half - centre) <= reach)
          pairs.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)});
  }
};

}  // namespace

double median_distance(const Isa& isa, const View& X, const Workers& workers) {
  constexpr Similarity euclidean = Similarity::euclidean;
  const std::vector<double> mean = means(X, workers), X2 = squares(X, mean, workers);
  const double scale = scale_for(X2, X2, euclidean);
  const std::int64_t all = X.n * (X.n - 1) / 2;

  const Packed<float> A = pack<float>(X, euclidean, mean, X2, scale, workers);
  const double unit = std::numeric_limits<float>::epsilon() / 2, d = static_cast<double>(X.d);
  const double off = doubt(euclidean, unit, chain_length(X.d), d, A.longest, A.longest);
  const Doubtful doubtful(halves(isa, A, workers), X.n, off);
  const std::int64_t count = static_cast<std::int64_t>(doubtful.pairs.size());
  if (count > std::max(PAIRS_AT_ONCE, all / MANY)) {
    const Packed<double> B = pack<double>(X, euclidean, mean, X2, scale, workers);
    std::vector<double> squares = halves(isa, B, workers);
    for (double& square : squares) square *= 2 / (scale * scale);
    return median_root(squares, all, 0);
  }

  std::vector<double> squares(count);
  parallel(workers, (count + PAIRS_AT_ONCE - 1) / PAIRS_AT_ONCE, [&](std::int64_t item) {
    std::vector<double> row(X.d);
    std::int64_t read = -1;
    for (std::int64_t p = item * PAIRS_AT_ONCE; p < std::min(count, (item + 1) * PAIRS_AT_ONCE); p++) {
      const auto [i, j] = doubtful.pairs[p];
      if (i != read) read_row(X, read = i, row.data());
      squares[p] = sum_of_terms(isa, euclidean, row.data(), X, j);
    }
  });
  return median_root(squares, all, doubtful.nearer);
}

}  // namespace consilience
