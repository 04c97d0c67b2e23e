"""Tensors on a GPU: computed where they lie, on the caller's stream, through DLPack.

PyTorch and CuPy share the few names that are needed (`isfinite`, `empty`, `float64`, ...), so the library
that made the tensor is asked; neither is imported here.
"""

from __future__ import annotations

import sys

from consilience.check import FEWEST_STIMULI, InputError, check_choice, check_k
from consilience.core import roads
from consilience.core.fit import check_narrow
from consilience.core.memory import need
from consilience.core.progress import progress

CUDA = 2  # DLPack's number for this kind of device
PRECISIONS = ("auto", "float32", "tf32", "3xtf32", "bf16", "3xbf16")
ON_CPU = ("float32", "3xbf16")
PIECES = 2**29  # bytes for a piece of each layer's kernel


def is_on_device(X):
    """Does X lie in CUDA memory?"""
    return hasattr(X, "__dlpack_device__") and X.__dlpack_device__()[0] == CUDA


def check_precision(X, precision, on_cpu=()):
    """A precision that X's device has; `on_cpu` are those that the operation offers there beside "auto"."""
    check_choice(precision, "precision", PRECISIONS)
    if precision == "auto":
        return
    if not is_on_device(X):
        if precision not in on_cpu:
            offered = " or ".join(map(repr, ("auto", *on_cpu)))
            raise InputError(f"precision={precision!r} is for CUDA tensors; for this array choose {offered}.")
        if precision == "3xbf16" and not roads.has_tiles():
            raise InputError("precision='3xbf16' needs a CPU with tiles of bfloat16 (AMX); choose 'float32'.")
    elif precision == "3xbf16":
        raise InputError("precision='3xbf16' is for arrays on a CPU; for this tensor choose '3xtf32'.")
    elif precision != "float32":
        library_of(X)
        if not roads.compiled.tensor_cores(X.__dlpack_device__()[1]):
            raise InputError(
                f"precision={precision!r} needs tensor cores: a GPU from sm_80 on, and a build for such. Use 'float32'."
            )


def neighbors(X, k, similarity, others=None, want_ties=False, precision="auto"):
    """Indices, similarities, ties: see :func:`consilience.core.neighbors.neighbors`. Ties come in NumPy."""
    library = library_of(X)
    X = check_on_device(library, X, similarity, "X")
    n, candidates = X.shape[0], X.shape[0]
    if others is not None:
        check_together(X, others, "others")
        others = check_on_device(library, others, similarity, "others")
        if others.shape[1] != X.shape[1]:
            raise InputError(f"X has {X.shape[1]} units and others {others.shape[1]}; both need the same.")
        candidates = others.shape[0] + 1
    k = check_k(k, candidates)
    in_double = library.float64 in (X.dtype, getattr(others, "dtype", None))
    rows = n + (0 if others is None else len(others))
    size = rows * (8 if in_double else 4) * X.shape[1] + n * 24 * (3 * k + 22)  # copies, and lists of candidates
    with device_of(library, X):
        need(size, f"The {k} neighbours of {n:,} stimuli", free_memory(library))
        where = {"device": X.device} if library.__name__ == "torch" else {}
        indices = library.empty((n, k), dtype=library.int64, **where)
        similarities = library.empty((n, k), dtype=library.float64, **where)
        stream = current_stream(library)
        lent = lend([X, others, indices, similarities], stream)
        with progress("neighbours") as tell:
            ties = roads.compiled.neighbors_on_cuda(
                lent[0],
                lent[1],
                similarity,
                lent[2],
                lent[3],
                want_ties=want_ties,
                precision=precision,
                stream=stream,
                tell=tell,
            )
        if not in_double:
            check_narrow(float(abs(similarities).max()))
            similarities = narrow(similarities)
    return indices, similarities, ties


def check_pair(X, Y, similarity, names=("X", "Y")):
    """What :func:`consilience.check.check_pair` asks, of two tensors on one device."""
    library = library_of(X)
    check_together(X, Y, names[1], names[0])
    X, Y = (check_on_device(library, A, similarity, name) for A, name in zip((X, Y), names, strict=True))
    if len(X) != len(Y):
        raise InputError(
            f"{names[0]} has {len(X)} stimuli (rows) and {names[1]} has {len(Y)}; row i of both is the same stimulus."
        )
    return X, Y


def kernel_sums(X, Y, kernel, spread, in_double, precision, products, *rest):
    """Fills five NumPy arrays: see :func:`consilience.core.kernel_sums.kernel_sums`."""
    library = library_of(X)
    size = len(X) * ((8 if in_double else 4) * (X.shape[1] + Y.shape[1]) + 64)
    with device_of(library, X):
        need(size, f"The kernel sums of {len(X):,} stimuli", free_memory(library))
        stream = current_stream(library)
        lent = lend([X, Y], stream)
        with progress("kernel sums") as tell:
            roads.compiled.kernel_sums_on_cuda(
                *lent,
                kernel,
                spread,
                products,
                *rest,
                in_double=in_double,
                precision=precision,
                stream=stream,
                tell=tell,
            )


def dissimilarities(X, dissimilarity):
    """The condensed vector, on X's device: see :func:`consilience.core.dissimilarities.dissimilarities`."""
    library = library_of(X)
    X = check_on_device(library, X, dissimilarity, "X")
    n, d = X.shape
    with device_of(library, X):
        need(4 * n * (n - 1) + 8 * n * (d + 1), f"The dissimilarities of {n:,} stimuli", free_memory(library))
        where = {"device": X.device} if library.__name__ == "torch" else {}
        found = library.empty(n * (n - 1) // 2, dtype=library.float64, **where)
        stream = current_stream(library)
        lent = lend([X, found], stream)
        with progress("dissimilarities") as tell:
            roads.compiled.dissimilarities_on_cuda(lent[0], dissimilarity, lent[1], stream=stream, tell=tell)
    return found


def check_layers(layers, kernel):
    """What :func:`consilience.check.check_array` asks, of tensors on one device, by name."""
    first, X = next(iter(layers.items()))
    library = library_of(X)
    for name, other in layers.items():
        check_together(X, other, name, first)
    return {name: check_on_device(library, X, kernel, name) for name, X in layers.items()}


def layer_sums(layers, kernel, spreads, shift, in_double, *sums):
    """Fills three NumPy arrays: see :func:`consilience.core.layer_sums.layer_sums`."""
    library = library_of(layers[0])
    n, count = len(layers[0]), len(layers)
    size = n * ((8 if in_double else 4) * sum(X.shape[1] for X in layers) + 40 * count) + PIECES
    with device_of(library, layers[0]):
        need(size, f"The sums of {count} layers of {n:,} stimuli", free_memory(library))
        stream = current_stream(library)
        lent = lend(layers, stream)
        with progress("sums of layers") as tell:
            roads.compiled.layer_sums_on_cuda(
                lent, kernel, spreads, shift, *sums, in_double=in_double, stream=stream, tell=tell
            )


def cross_correlation(units, voxels, k, sign, thresholds):
    """Best partners, correlations (float64) and counts of both sides, on the device."""
    library = library_of(units)
    where = {"device": units.device} if library.__name__ == "torch" else {}
    columns = (k, library.int64), (k, library.float64), (len(thresholds), library.int64)
    shapes = units.shape[1], voxels.shape[1]
    width = 8 if library.float64 in (units.dtype, voxels.dtype) else 4
    size = sum(shapes) * (len(units) * width + 20 * (k + max(8, k // 2)) + 16 * k + 8 * len(thresholds) + 40)
    with device_of(library, units):
        need(size, "The correlations of {:,} units and {:,} voxels".format(*shapes), free_memory(library))
        sides = [[library.empty((n, m), dtype=dtype, **where) for m, dtype in columns] for n in shapes]
        stream = current_stream(library)
        lent = lend([units, voxels, *sides[0], *sides[1]], stream)
        with progress("correlations") as tell:
            roads.compiled.cross_correlation_on_cuda(*lent[:2], sign, thresholds, *lent[2:], stream=stream, tell=tell)
    return sides


def extent(X):
    """The smallest and the largest value of each column: float64, in NumPy."""
    library = library_of(X)
    return [to_numpy(wide(bound(X, 0))) for bound in (library.amin, library.amax)]


def wide(array):
    """A tensor in float64."""
    return array.double() if hasattr(array, "double") else array.astype("float64")


def narrow(array):
    """A tensor in float32."""
    return array.float() if hasattr(array, "float") else array.astype("float32")


def relation_sums(Z, W, u, p, e, sums, in_double):
    """Fills `sums`: see :func:`consilience.core.relation_sums.relation_sums`."""
    library = library_of(Z)
    size = len(Z) * ((8 if in_double else 4) * (Z.shape[1] + W.shape[1]) + 80)
    with device_of(library, Z):
        need(size, f"The relation sums of {len(Z):,} stimuli", free_memory(library))
        stream = current_stream(library)
        lent = lend([Z, W], stream)
        with progress("relation sums") as tell:
            roads.compiled.relation_sums_on_cuda(*lent, u, p, e, sums, in_double=in_double, stream=stream, tell=tell)


def centred(X, kernel):
    """X as :func:`consilience.core.twin_sums.centred` has it, on its device."""
    X = wide(X)
    if kernel == "cosine":
        X = X / (X * X).sum(axis=1, keepdims=True) ** 0.5
    X = X - X.mean(axis=0)
    mean_square = (X * X).sum(axis=1).mean()
    if kernel == "cosine" and not mean_square > 1e-28:
        raise InputError("All rows of X have the same direction, so no cosine differs from another.")
    return X / mean_square**0.5


def library_of(X):
    """The library that made X, if the core can compute on X's device."""
    if not hasattr(roads.compiled, "neighbors_on_cuda"):
        raise InputError(
            "X lies on a CUDA device, but the core was built without CUDA (`consilience doctor` says why). "
            "Install again where nvcc is found, or pass X.cpu() (PyTorch) or X.get() (CuPy)."
        )
    return sys.modules[type(X).__module__.partition(".")[0]]


def device_of(library, X):
    """A context in which X's device is the current one."""
    return library.cuda.device(X.device) if library.__name__ == "torch" else X.device


def current_stream(library):
    """The address of the caller's stream."""
    if library.__name__ == "torch":
        return library.cuda.current_stream().cuda_stream
    return library.cuda.get_current_stream().ptr


def free_memory(library):
    """Bytes that are free on the current device, beside what the library holds for itself."""
    if library.__name__ == "torch":
        return library.cuda.mem_get_info()[0]
    return library.cuda.runtime.memGetInfo()[0]


def lend(arrays, stream):
    """Arrays through DLPack, ready on the stream. CUDA calls the legacy default stream 0; DLPack calls it 1."""
    return [None if array is None else array.__dlpack__(stream=stream or 1) for array in arrays]


def check_together(X, other, name, first="X"):
    if not is_on_device(other) or other.__dlpack_device__() != X.__dlpack_device__():
        raise InputError(f"{name} must lie on the same CUDA device as {first}; move it there first.")


def to_numpy(array):
    """A tensor's copy in main memory."""
    return array.cpu().numpy() if hasattr(array, "cpu") else array.get()


def check_on_device(library, X, similarity, name):
    """What :func:`consilience.check.check_array` asks, asked on the device; only the answers leave it."""
    X = X.detach() if hasattr(X, "detach") else X
    if str(X.dtype).removeprefix("torch.") not in ("float16", "bfloat16", "float32", "float64"):
        raise InputError(f"{name} has dtype {X.dtype}; use float16, bfloat16, float32 or float64.")
    if X.ndim != 2 or X.shape[1] == 0:
        raise InputError(f"{name} has shape {tuple(X.shape)}; it must be (n_stimuli, n_units).")
    if X.shape[0] < FEWEST_STIMULI:
        raise InputError(f"{name} has {X.shape[0]} stimuli (rows); at least {FEWEST_STIMULI} are needed.")
    if not library.isfinite(X).all():
        raise InputError(f"{name} holds NaN or infinity. Remove those stimuli, or those units.")
    if not (X[:1] != X).any():
        raise InputError(f"{name} is the same for every stimulus: no unit varies, nothing can be compared.")
    # Squares of float64 can overflow or vanish; those of the narrower types fit into float64.
    wide = X.dtype == library.float64
    if wide and (abs(X) > 1e140).any():
        raise InputError(f"{name} holds values whose squares overflow; divide it by a constant.")
    if similarity == "cosine" and not (abs(X) > (1e-150 if wide else 0)).any(1).all():
        raise InputError(f"{name} has a row of zeros, or nearly so, which has no cosine. Remove it.")
    if similarity == "correlation" and not (abs(X - X[:, :1]) > (1e-150 if wide else 0)).any(1).all():
        raise InputError(f"{name} has a row that is constant over its units, or nearly so. Remove it.")
    return X
