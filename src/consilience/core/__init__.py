"""The core: the few operations that cost n², computed without an n x n matrix.

Each operation has three roads: compiled code for the CPU, CUDA for tensors on a GPU, and a NumPy twin, which is
there to be read, to test against, and to compute where no compiler was. Neighbours, dissimilarities, ranks, best
correlations and whole numbers are the same to the last bit on all of them; sums agree to rounding, and to the last bit
for any number of threads, with AVX2 or AVX-512. The environment variable `CONSILIENCE_CORE` picks one by hand: "auto"
(the widest instruction set; the default), "amx" (AVX-512, and tiles of bfloat16 to guess neighbours), "avx512",
"avx2", "generic", or "twin".
"""

from consilience.core.cross_correlation import CrossCorrelation, cross_correlation
from consilience.core.dissimilarities import dissimilarities
from consilience.core.graph_sums import GraphSums, graph_sums
from consilience.core.kernel_sums import Hsic, KernelSums, kernel_sums
from consilience.core.layer_sums import LayerSums, layer_sums
from consilience.core.neighbors import neighbor_weights, neighbors
from consilience.core.orders import Orders
from consilience.core.permutations import permuted_products
from consilience.core.rank_correlation import kendall, ranks, spearman
from consilience.core.relation_sums import CentredSums, relation_sums
from consilience.core.versions import facts, show_versions

__all__ = [
    "CentredSums",
    "CrossCorrelation",
    "GraphSums",
    "Hsic",
    "KernelSums",
    "LayerSums",
    "Orders",
    "cross_correlation",
    "dissimilarities",
    "facts",
    "graph_sums",
    "kendall",
    "kernel_sums",
    "layer_sums",
    "neighbor_weights",
    "neighbors",
    "permuted_products",
    "ranks",
    "relation_sums",
    "show_versions",
    "spearman",
]
