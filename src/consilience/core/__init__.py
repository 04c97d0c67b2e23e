"""The core: the few operations that cost n², computed without an n x n matrix.

Each operation has three roads: compiled code for the CPU, CUDA for tensors on a GPU, and a NumPy twin, which is
there to be read, to test against, and to compute where no compiler was. They give the same neighbours to the last
bit; sums over kernels agree to rounding, and to the last bit for any number of threads, with AVX2 or AVX-512. The
environment variable `CONSILIENCE_CORE` picks one by hand: "auto" (the widest instruction set; the default), "avx512",
"avx2", "generic", or "twin".
"""

from consilience.core.graph_sums import GraphSums, graph_sums
from consilience.core.kernel_sums import Hsic, KernelSums, kernel_sums
from consilience.core.neighbors import neighbor_weights, neighbors
from consilience.core.relation_sums import CentredSums, relation_sums
from consilience.core.versions import facts, show_versions

__all__ = [
    "CentredSums",
    "GraphSums",
    "Hsic",
    "KernelSums",
    "facts",
    "graph_sums",
    "kernel_sums",
    "neighbor_weights",
    "neighbors",
    "relation_sums",
    "show_versions",
]
