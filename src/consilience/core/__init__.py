"""The core: the few operations that cost n², computed without an n x n matrix.

Each operation has three roads: compiled code for the CPU, CUDA for tensors on a GPU, and a NumPy twin, which is
there to be read, to test against, and to compute where no compiler was. They give the same neighbours,
dissimilarities and rank correlations to the last bit; kernel sums agree to rounding, and to the last bit for any
number of threads, with AVX2 or AVX-512. The environment variable `CONSILIENCE_CORE` picks one by hand: "auto" (the
widest instruction set; the default), "avx512", "avx2", "generic", or "twin".
"""

from consilience.core.dissimilarities import dissimilarities
there to be read, to test against, and to compute where no compiler was. They give the same neighbours and
the same partners to the last bit; kernel sums agree to rounding, and to the last bit for any number of threads, with
AVX2 or AVX-512. The environment variable `CONSILIENCE_CORE` picks one by hand: "auto" (the widest instruction set; the
default), "avx512", "avx2", "generic", or "twin".
"""

from consilience.core.cross_correlation import CrossCorrelation, Partners, cross_correlation
from consilience.core.kernel_sums import Hsic, KernelSums, kernel_sums
from consilience.core.layer_sums import LayerHsic, LayerSums, layer_sums
from consilience.core.neighbors import neighbor_weights, neighbors
from consilience.core.orders import Orders
from consilience.core.permutations import permuted_products
from consilience.core.rank_correlation import kendall, ranks, spearman
from consilience.core.versions import facts, show_versions

__all__ = [
    "CrossCorrelation",
    "Hsic",
    "KernelSums",
    "LayerHsic",
    "LayerSums",
    "Orders",
    "dissimilarities",
    "Partners",
    "cross_correlation",
    "facts",
    "kendall",
    "kernel_sums",
    "layer_sums",
    "neighbor_weights",
    "neighbors",
    "permuted_products",
    "ranks",
    "show_versions",
    "spearman",
]
