// ranks and count_pairs, from Python.
#include "../rank_correlation.hpp"
#include "arrays.hpp"

namespace consilience {

namespace {

using Values = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T> using Ranks = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class T> void ranks_on_cpu(Values x, Ranks<T> to, int threads, nb::object tell) {
  if (x.shape(0) != to.shape(0)) throw misfit();
  const nb::gil_scoped_release no_gil;
  ranks(x.data(), static_cast<std::int64_t>(x.shape(0)), {threads, listener(tell)}, to.data());
}

nb::tuple count_pairs_on_cpu(Values x, Values y, int threads, nb::object tell) {
  if (x.shape(0) != y.shape(0) || x.shape(0) > UINT32_MAX) throw misfit();
  Pairs pairs;
  {
    const nb::gil_scoped_release no_gil;
    pairs = count_pairs(x.data(), y.data(), static_cast<std::int64_t>(x.shape(0)), {threads, listener(tell)});
  }
  return nb::make_tuple(pairs.tied_in_x, pairs.tied_in_y, pairs.tied_in_both, pairs.discordant);
}

}  // namespace

void bind_rank_correlation(nb::module_& module) {
  module.def("ranks", ranks_on_cpu<std::int32_t>, "x"_a, "to"_a.noconvert(), "threads"_a,
             "tell"_a = nb::none());
  module.def("ranks", ranks_on_cpu<std::int64_t>, "x"_a, "to"_a.noconvert(), "threads"_a,
             "tell"_a = nb::none());
  module.def("count_pairs", count_pairs_on_cpu, "x"_a, "y"_a, "threads"_a, "tell"_a = nb::none());
}

}  // namespace consilience
