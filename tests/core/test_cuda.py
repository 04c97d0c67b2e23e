"""On a GPU: `make test-cuda`. Everything here is skipped where PyTorch finds none."""

import numpy as np
import pytest

from consilience.check import InputError
from consilience.core import kernel_sums, neighbor_weights, neighbors, roads

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
