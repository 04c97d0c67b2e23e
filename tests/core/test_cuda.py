"""On a GPU: `make test-cuda`. Everything here is skipped where PyTorch finds none."""

import numpy as np
import pytest

from consilience.check import InputError
from consilience.core import (
    Orders,
    cross_correlation,
    dissimilarities,
    kernel_sums,
    layer_sums,
    neighbor_weights,
    neighbors,
    permuted_products,
    relation_sums,
    roads,
    spearman,
)
from consilience.core.dissimilarities import DISSIMILARITIES

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
    pytest.mark.skipif(not hasattr(roads.compiled, "neighbors_on_cuda"), reason="built without CUDA"),
]


def has_tensor_cores():
    return hasattr(roads.compiled, "tensor_cores") and torch.cuda.is_available() and roads.compiled.tensor_cores(0)


PRECISIONS = ["auto", "float32", *(["tf32", "3xtf32", "bf16"] if has_tensor_cores() else [])]
SIMILARITIES = ["cosine", "dot", "euclidean"]


def normal(n, d, seed=0):
    return np.random.default_rng([seed, n, d]).standard_normal((n, d)).astype(np.float32)


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.device.type == "cuda"
        np.testing.assert_array_equal(a.cpu().numpy(), b)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(4, 1, 3), (31, 767, 5), (1000, 2, 999), (5000, 100, 10)])
def test_the_same_bits_as_the_cpu(n, d, k, dtype, similarity):
    X = torch.from_numpy(normal(n, d)).to(dtype)
    same(neighbors(X.cuda(), k, similarity), neighbors(X, k, similarity))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shift", [0, 100])
def test_the_same_bits_in_every_precision(shift, precision, similarity):
    X = torch.from_numpy(normal(5000, 200) + np.float32(shift))
    same(neighbors(X.cuda(), 10, similarity, precision=precision), neighbors(X, 10, similarity))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_among_others(similarity):
    X, others = torch.from_numpy(normal(300, 40)), torch.from_numpy(normal(700, 40, seed=1))
    same(neighbors(X.cuda(), 9, similarity, others=others.cuda()), neighbors(X, 9, similarity, others=others))


def test_ties():
    X = normal(3000, 20)
    X[::2] = X[0]
    found, expected = neighbor_weights(torch.from_numpy(X).cuda(), 7), neighbor_weights(X, 7)
    assert (found != expected).nnz == 0


def test_strides_and_gradients():
    X = torch.from_numpy(normal(200, 60))
    same(neighbors(X.cuda().requires_grad_()[::2, 5::3], 4), neighbors(X[::2, 5::3], 4))


def test_runs_on_the_current_stream():
    X = torch.from_numpy(normal(4000, 64))
    with torch.cuda.stream(torch.cuda.Stream()):
        on_device = X.cuda(non_blocking=True) * 2  # queued on this stream, and not awaited
        found = neighbors(on_device, 10)
    same(found, neighbors(X * 2, 10))


def test_refuses_without_leaving_the_device():
    X = torch.from_numpy(normal(50, 4)).cuda()
    with pytest.raises(InputError, match="k is 50"):
        neighbors(X, 50)
    with pytest.raises(InputError, match="NaN"):
        neighbors(torch.where(X > 2, torch.nan, X), 3)
    with pytest.raises(InputError, match="same CUDA device"):
        neighbors(X, 3, others=X.cpu())


@pytest.mark.parametrize("kernel", ["linear", "cosine", "rbf", "laplacian"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "dx", "dy"), [(4, 2, 3), (1000, 767, 2), (5000, 30, 100)])
def test_kernel_sums_as_on_the_cpu(n, dx, dy, dtype, kernel):
    X, Y = (torch.from_numpy(normal(n, d) + 1).to(dtype) for d in (dx, dy))
    for estimator in ("hsic_unbiased", "hsic_biased"):
        found, expected = (getattr(kernel_sums(A, B, kernel), estimator) for A, B in ((X.cuda(), Y.cuda()), (X, Y)))
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("kernel", ["linear", "cosine", "rbf"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_cka_moves_no_more_than_the_precision_says(precision, kernel):
    X = normal(5000, 768) + 1
    Y = X[:, :300] + normal(5000, 300)
    found, expected = (
        kernel_sums(A, B, kernel, precision=asked).hsic_unbiased
        for A, B, asked in (
            (torch.from_numpy(X).cuda(), torch.from_numpy(Y).cuda(), precision),
            (X.astype(np.float64), Y.astype(np.float64), "auto"),
        )
    )
    moved = {"tf32": 1e-5, "bf16": 1e-4}.get(precision, 1e-6)
    assert found.kl / np.sqrt(found.kk * found.ll) == pytest.approx(
        expected.kl / np.sqrt(expected.kk * expected.ll), abs=moved
    )


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_same_bits_from_run_to_run(precision):
    X, Y = (torch.from_numpy(normal(3000, d)).cuda() for d in (100, 60))
    first, second = (kernel_sums(X, Y, "rbf", precision=precision) for _ in range(2))
    assert (first.kl, first.kk, first.ll) == (second.kl, second.kk, second.ll)
    np.testing.assert_array_equal(first.k_rows, second.k_rows)


def test_what_float32_cannot_hold_is_refused():
    with pytest.raises(InputError, match="overflow or vanish in float32"):
        neighbors(torch.from_numpy(normal(50, 4) * np.float32(1e20)).cuda(), 3, "dot")


def test_kernel_sums_refuse_what_lies_apart():
    X, Y = torch.from_numpy(normal(50, 4)), torch.from_numpy(normal(50, 5))
    with pytest.raises(InputError, match="Y must lie on the same CUDA device"):
        kernel_sums(X.cuda(), Y)
    with pytest.raises(InputError, match="X has 50 stimuli"):
        kernel_sums(X.cuda(), Y[:40].cuda())


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (31, 767), (1000, 33), (3000, 100)])
def test_dissimilarities_have_the_same_bits_as_on_the_cpu(n, d, dtype, dissimilarity):
    X = torch.from_numpy(normal(n, d) + 1).to(dtype)
    same([dissimilarities(X.cuda(), dissimilarity)], [dissimilarities(X, dissimilarity)])


def test_ranks_come_to_main_memory():
    X = torch.from_numpy(normal(300, 20))
    there, here = dissimilarities(X.cuda()), dissimilarities(X)
    assert spearman(there, here) == 1


def test_dissimilarities_refuse_without_leaving_the_device():
    X = torch.from_numpy(normal(50, 4)).cuda()
    X[7] = 3
    with pytest.raises(InputError, match="constant over its units"):
        dissimilarities(X)
    with pytest.raises(InputError, match="constant over its units"):
        dissimilarities(X[:, :1])


@pytest.mark.parametrize("kernel", ["linear", "cosine", "rbf", "laplacian"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "widths"), [(4, [2, 3]), (1000, [767, 2, 40, 300, 9]), (5000, [30, 100, 20])])
def test_layer_sums_as_on_the_cpu(n, widths, dtype, kernel):
    layers = [torch.from_numpy(normal(n, d) + 1).to(dtype) for d in widths]
    on_device = [X.cuda() for X in layers]
    for sides in ((slice(None),), (slice(1), slice(1, None))):
        found, expected = (layer_sums(*(L[side] for side in sides), kernel=kernel) for L in (on_device, layers))
        for estimator in ("hsic_unbiased", "hsic_biased"):
            for a, b in zip(getattr(found, estimator), getattr(expected, estimator), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_layers_that_lie_apart_are_refused():
    X, Y = torch.from_numpy(normal(50, 4)), torch.from_numpy(normal(50, 5))
    with pytest.raises(InputError, match=r"layers_b\[0\] must lie on the same CUDA device as layers_a\[0\]"):
        layer_sums([X.cuda()], [Y])
    with pytest.raises(InputError, match=r"layers_a\[1\] has 40"):
        layer_sums([X.cuda(), Y[:40].cuda()])


@pytest.mark.parametrize("kernel", ["linear", "cosine"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (1000, 767), (5000, 30), (1200, 2000)])
def test_relation_sums_as_on_the_cpu(n, d, dtype, kernel):
    X = (torch.from_numpy(normal(n, d)) + 1).exp().to(dtype)
    found, expected = relation_sums(X.cuda(), kernel), relation_sums(X, kernel)
    assert found[:3] == pytest.approx(expected[:3], rel=1e-5, abs=1e-9)
    np.testing.assert_allclose(found.fourth, expected.fourth, rtol=1e-5)


def test_relation_sums_refuse_what_has_one_direction():
    X = torch.arange(1.0, 31).cuda()[:, None] * torch.ones(2).cuda()
    with pytest.raises(InputError, match="same direction"):
        relation_sums(X, "cosine")


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "count_a", "count_b"), [(4, 1, 1), (33, 2, 3), (1000, 1, 2)])
def test_permuted_products_as_on_the_cpu(n, count_a, count_b, dtype):
    relations = [100 * torch.from_numpy(normal(n, n, seed)) for seed in range(count_a + count_b)]
    relations = [(A + A.T).to(dtype) for A in relations]
    a, b, orders = relations[:count_a], relations[count_a:], Orders(n, 200, groups=np.arange(n) % 2)
    found = permuted_products([A.cuda() for A in a], [B.cuda() for B in b], orders)
    expected = permuted_products(a, b, orders)
    if dtype == torch.int32:
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("sign", ["absolute", "positive", "negative"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "n_units", "n_voxels", "k"), [(4, 3, 70, 3), (767, 1000, 33, 1), (200, 2000, 5000, 10)])
def test_cross_correlation_has_the_same_bits_as_the_cpu(n, n_units, n_voxels, k, dtype, sign):
    units, voxels = (torch.from_numpy(normal(n, d, seed) + 1).to(dtype) for seed, d in enumerate((n_units, n_voxels)))
    voxels[:, 1] = -units[:, 0]
    options = dict(k=k, sign=sign, thresholds=[0.05, 0.3, 1.0])
    found, expected = (cross_correlation(A, B, **options) for A, B in ((units.cuda(), voxels.cuda()), (units, voxels)))
    for side in ("of_units", "of_voxels"):
        a, b = getattr(found, side), getattr(expected, side)
        same((a.best, a.correlations, a.counts), (b.best, b.correlations, b.counts))


def test_cross_correlation_refuses_without_leaving_the_device():
    units, voxels = torch.from_numpy(normal(50, 4)).cuda(), torch.from_numpy(normal(50, 6)).cuda()
    with pytest.raises(InputError, match="voxels must lie on the same CUDA device as units"):
        cross_correlation(units, voxels.cpu())
    voxels[:, 3] = 0.1
    with pytest.raises(InputError, match="voxels: column 3 is constant"):
        cross_correlation(units, voxels)
