"""The inner products of relation matrices under many orders of the stimuli: what permutation tests are made of."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from consilience.check import InputError, as_numpy
from consilience.core import cuda, roads, twin_permutations
from consilience.core.fit import check_threads
from consilience.core.memory import need
from consilience.core.orders import GivenOrders, Orders
from consilience.core.progress import progress

MOST_IN_MATRIX = 65_536  # stimuli; then a matrix in float32 is 17 GB
BLOCK = 1_024  # columns of `a` that are stored whole
WHOLE = ("bool", "int", "uint")
NARROW = ("float16", "bfloat16", "float32")
ASYMMETRY = 1e-6  # of the largest entry: what rounding leaves between a matrix and its transpose


def permuted_products(a, b, orders, *, threads=None):
    r"""Inner products of every relation of `a` with every relation of `b`, under each order of the stimuli of `b`.

    .. math:: T_p(i, j) = \sum_{u, v} A_i[u, v]\, B_j[p(u), p(v)]

    The diagonal counts, where there is one. The order is the same for all pairs, so the largest product of a draw is
    the maximum over pairs as chance would have it.

    Parameters
    ----------
    a, b : sequence of arrays of shape (n_stimuli, n_stimuli)
        All dense, or all sparse (scipy.sparse). Dense ones must be symmetric, and of `a` only what is on and above the
        diagonal is read: float16, float32, float64, or whole numbers that fit into int32 (ranks; tied ranks are halves,
        so pass twice the ranks). Sparse ones may be directed. Dense CUDA tensors are computed on their device and
        stream, and the products come to main memory.
    orders : Orders, or array of int of shape (draws, n_stimuli)
        Given orders serve enumeration, circular shifts, or permutations of groups.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.

    Returns
    -------
    ndarray of shape (draws, len(a), len(b))
        float64; or int64, and exact, where all of `a` and `b` are whole numbers.

    Raises
    ------
    InputError
        If shapes do not fit together; if a matrix is not symmetric, holds NaN or infinity, or values whose products
        float64 or int64 cannot hold; if an order is no permutation; if there is not enough memory.

    Notes
    -----
    float32 matrices are multiplied in float32 and added up in float64, 512 products at a time; all is in float64 where
    one of them is wider. The same bits for any number of threads, with AVX2 or AVX-512; a GPU and the NumPy twin agree
    to rounding, and in whole numbers to the last bit.

    Dense: O(n²) time for each draw and pair, n up to 65,536. Memory: half a copy of `a`, and of a thousand columns
    of it the other half; or, for more than 32 pairs of floats, a copy of `b` and half a copy of `a`, both rounded up to
    a multiple of sixteen relations. Sparse: O(edges) time for each draw and pair, O(n) memory. Sparse relations are
    computed in main memory only.
    """
    a, b = list(a), list(b)
    orders = orders if isinstance(orders, Orders | GivenOrders) else GivenOrders(orders)
    if not a or not b:
        raise InputError(f"{'b' if a else 'a'} is empty; give at least one relation matrix.")
    graphs = {sparse.issparse(A) for A in (*a, *b)}
    if len(graphs) > 1:
        raise InputError("Some relations are dense and some sparse; pass all alike, by toarray() or csr_array().")
    threads = roads.thread_count() if threads is None else check_threads(threads)
    return (of_graphs if graphs.pop() else of_matrices)(a, b, orders, threads)


def room_for(orders, a, b, whole, copies=0):
    """An empty array of products, if there is memory for it and the core's copies."""
    what = f"{orders.draws:,} permutations of {len(a)} x {len(b)} relations of {orders.n:,} stimuli"
    need(8 * orders.draws * len(a) * len(b) + copies, what)
    return np.empty((orders.draws, len(a), len(b)), np.int64 if whole else np.float64)


# --- matrices -------------------------------------------------------------------------------------------------------


def of_matrices(a, b, orders, threads):
    if orders.n > MOST_IN_MATRIX:
        raise InputError(
            f"Dense relations serve at most {MOST_IN_MATRIX:,} stimuli, not {orders.n:,}; pass sparse ones."
        )
    on_device = cuda.is_on_device(a[0])
    library = cuda.library_of(a[0]) if on_device else np
    names = [f"a[{i}]" for i in range(len(a))] + [f"b[{j}]" for j in range(len(b))]
    if on_device:
        for name, A in zip(names, [*a, *b], strict=True):
            cuda.check_together(a[0], A, name)
    matrices = [checked(A, orders.n, name, library) for name, A in zip(names, [*a, *b], strict=True)]
    a, b = matrices[: len(a)], matrices[len(a) :]
    dtype = common_dtype(a, b, library)
    copies = 0 if on_device else memory(a, b, np.dtype(dtype))
    products = room_for(orders, a, b, dtype == "int32", copies)
    a, b = ([contiguous(A, dtype, library) for A in side] for side in (a, b))
    if on_device:
        with cuda.device_of(library, a[0]), progress("permutations") as tell:
            stream = cuda.current_stream(library)
            lent = cuda.lend(a, stream), cuda.lend(b, stream)
            roads.compiled.permuted_matrices_on_cuda(*lent, orders.source, products, stream=stream, tell=tell)
    elif (road := roads.road()) == "twin":
        twin_permutations.permuted_matrices(a, b, orders, products)
    else:
        with progress("permutations") as tell:
            roads.compiled.permuted_matrices(a, b, orders.source, products, isa=road, threads=threads, tell=tell)
    return products


def checked(A, n, name, library):
    """A symmetric matrix of finite numbers, in its own dtype but for bool."""
    if library is np:
        A = np.asarray(A) if type_name(A).startswith(WHOLE) else as_numpy(A, name)
    A = A.detach() if hasattr(A, "detach") else A
    if tuple(A.shape) != (n, n):
        raise InputError(f"{name} has shape {tuple(A.shape)}; the orders are of {n} stimuli, so give ({n}, {n}).")
    if type_name(A) not in (*NARROW, "float64") and not type_name(A).startswith(WHOLE):
        raise InputError(f"{name} has dtype {A.dtype}; use float16, float32, float64, or whole numbers.")
    if not library.isfinite(A).all():
        raise InputError(f"{name} holds NaN or infinity; a relation is a number for each pair of stimuli.")
    A = library.asarray(A, dtype=library.int32) if type_name(A) == "bool" else A
    for start in range(0, n, 512):  # a few rows at a time: no second matrix
        some = slice(start, start + 512)
        rows, columns = A[some], A[:, some].T
        unequal = rows != columns
        if unequal.any() and float(abs(rows[unequal] - columns[unequal]).max()) > ASYMMETRY * largest([A]):
            raise InputError(f"{name} is not symmetric; pass (A + A.T) / 2, or a directed graph as a sparse matrix.")
    return A


def common_dtype(a, b, library):
    """int32 where all are whole numbers, float32 where that holds all, else float64."""
    whole = all(type_name(A).startswith(WHOLE) for A in (*a, *b))
    check_sizes(a, b, whole, library)
    if whole:
        return "int32"
    narrow = all(type_name(A) in NARROW for A in (*a, *b)) and all(1e-15 < largest(side) < 1e15 for side in (a, b))
    return "float32" if narrow else "float64"


def check_sizes(a, b, whole, library=np):
    """Refuse numbers whose sums of products int64 or float64 could not hold."""
    if whole and (max(largest(a), largest(b)) >= 2**31 or norm(a, library) * norm(b, library) > 9e18):
        raise InputError(
            "a and b hold whole numbers so large that int64 may not hold their products. Subtract the mean from them, "
            "or pass float64."
        )
    for name, size in (("a", largest(a)), ("b", largest(b))):
        if size and not 1e-140 < size < 1e140:
            raise InputError(f"{name} holds values of up to {size:.0e}, whose products float64 cannot hold; scale it.")


def largest(arrays):
    """The largest entry, by size."""
    return max((max(float(A.max()), -float(A.min())) for A in arrays if len(A)), default=0.0)


def norm(arrays, library):
    """The largest root of a sum of squares: no inner product exceeds the product of two (Cauchy and Schwarz)."""
    wide = (library.asarray(A, dtype=library.float64) for A in arrays)
    return max(float((A * A).sum()) ** 0.5 for A in wide)


def contiguous(A, dtype, library):
    A = library.asarray(A, dtype=getattr(library, dtype))
    return A.contiguous() if hasattr(A, "contiguous") else library.ascontiguousarray(A)


def memory(a, b, dtype):
    """Bytes: what has another dtype or layout is copied, and the core copies all, side by side, or half of `a`."""
    n = len(a[0])
    copied = sum(A.dtype != dtype or not A.flags.c_contiguous for A in (*a, *b))
    panels = [16 * -(-len(side) // 16) for side in (a, b)]
    many = dtype.kind == "f" and len(a) * len(b) > 32
    half = n * (n + min(n, BLOCK)) / 2
    return dtype.itemsize * (n * n * copied + (panels[0] * n * n / 2 + panels[1] * n * n if many else len(a) * half))


def type_name(A):
    return str(getattr(A, "dtype", "")).removeprefix("torch.")


# --- graphs ---------------------------------------------------------------------------------------------------------


def of_graphs(a, b, orders, threads):
    """In whole numbers where all weights are, else in float64."""
    a, b = ([sparse.csr_array(A) for A in side] for side in (a, b))
    for side, graphs in (("a", a), ("b", b)):
        for i, A in enumerate(graphs):
            if A.shape != (orders.n, orders.n):
                raise InputError(f"{side}[{i}] has shape {A.shape}; the orders are of {orders.n} stimuli.")
            if A.dtype.kind not in "biuf" or not np.isfinite(A.data).all():
                raise InputError(f"{side}[{i}] holds weights that are no finite real numbers.")
    whole = all(A.dtype.kind in "biu" for A in (*a, *b))
    check_sizes([A.data for A in a], [A.data for A in b], whole)
    products = room_for(orders, a, b, whole)
    if roads.road() == "twin":
        twin_permutations.permuted_graphs(a, b, orders, products)
        return products
    lists = [[edges(A, products.dtype) for A in side] for side in (a, b)]
    with progress("permutations") as tell:
        roads.compiled.permuted_graphs(*lists, orders.source, products, threads=threads, tell=tell)
    return products


def edges(A, dtype):
    """Where each row starts, columns, and weights."""
    return A.indptr.astype(np.int64), A.indices.astype(np.int32), A.data.astype(dtype)
