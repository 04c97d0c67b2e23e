"""The core: the few operations that cost n², computed without an n x n matrix.

Each operation has three roads: compiled code for the CPU, CUDA for tensors on a GPU, and a NumPy twin, which is
there to be read, to test against, and to compute where no compiler was. They give the same neighbours to the last
bit, and the same random orders; sums agree to rounding, and to the last bit for any number of threads, with AVX2 or
AVX-512. (Permuted products alone take matrices, or sparse graphs, as they come.) The environment variable
`CONSILIENCE_CORE` picks one by hand: "auto" (the widest instruction set; the default), "avx512", "avx2", "generic", or
"twin".
"""

from consilience.core.kernel_sums import Hsic, KernelSums, kernel_sums
from consilience.core.neighbors import neighbor_weights, neighbors
from consilience.core.orders import Orders
from consilience.core.permutations import permuted_products
from consilience.core.versions import facts, show_versions

__all__ = [
    "Hsic",
    "KernelSums",
    "Orders",
    "facts",
    "kernel_sums",
    "neighbor_weights",
    "neighbors",
    "permuted_products",
    "show_versions",
]
