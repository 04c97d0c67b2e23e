"""The core: the few operations that cost n², computed without an n x n matrix.

Each operation has three roads to the same bits: compiled code for the CPU, CUDA for tensors on a GPU, and a
NumPy twin, which is there to be read, to test against, and to compute where no compiler was. The environment
variable `CONSILIENCE_CORE` picks one by hand: "auto" (the widest instruction set; the default), "avx512",
"avx2", "generic", or "twin".
"""

from consilience.core.neighbors import neighbor_weights, neighbors
from consilience.core.versions import facts, show_versions

__all__ = ["facts", "neighbor_weights", "neighbors", "show_versions"]
