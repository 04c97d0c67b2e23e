"""What is written by each library is read back; what cannot be trusted is refused."""

import numpy as np
import pandas as pd
import pytest

from consilience.check import InputError
from consilience.features import Features
from consilience.files import Representation, matched, read


def layers(n=6):
    rng = np.random.default_rng(0)
    return {"first": rng.standard_normal((n, 3)).astype(np.float32), "last": rng.standard_normal((n, 4)).astype("f4")}


def same(found, expected):
    assert list(found) == list(expected)
    for name, X in expected.items():
        np.testing.assert_array_equal(found[name], X)


def test_one_array(tmp_path):
    X = layers()["first"]
    np.save(tmp_path / "x.npy", X)
    found = read(tmp_path / "x.npy")
    same(found.layers, {"": X})
    assert found.ids is None


def test_layers_and_ids_of_npz(tmp_path):
    np.savez(tmp_path / "x.npz", **layers(), ids=np.array(list("abcdef")))
    found = read(tmp_path / "x.npz")
    same(found.layers, layers())
    assert found.ids.tolist() == list("abcdef")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_tensors(tmp_path, suffix):
    torch = pytest.importorskip("torch")
    save = pytest.importorskip("safetensors.torch").save_file if suffix == ".safetensors" else torch.save
    tensors = {name: torch.from_numpy(X) for name, X in layers().items()}
    save({**tensors, "half": tensors["first"].bfloat16(), "ids": torch.arange(6)}, str(tmp_path / f"x{suffix}"))
    found = read(tmp_path / f"x{suffix}")
    assert found.ids.tolist() == list(range(6))
    assert found.layers["half"].dtype == np.float32
    np.testing.assert_array_equal(found.layers["last"], layers()["last"])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    table = pd.DataFrame(layers()["first"].astype(float), columns=["a", "b", "c"])
    table.insert(0, "id", list("uvwxyz"))
    (table.to_csv if suffix == ".csv" else table.to_parquet)(tmp_path / f"x{suffix}", index=False)
    found = read(tmp_path / f"x{suffix}")
    assert found.ids.tolist() == list("uvwxyz")
    np.testing.assert_allclose(found.layers[""], layers()["first"], rtol=1e-12)


def test_features_come_with_their_ids_and_origin(tmp_path):
    Features.of(layers(), {"model": "vit", "pool": "mean"}, "abcdef").save(tmp_path / "x.safetensors")
    found = read(tmp_path / "x.safetensors")
    same(found.layers, layers())
    assert found.ids.tolist() == list("abcdef")
    assert found.rows([1, 0]).named().origin == {"model": "vit", "pool": "mean"}
    whole = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").write_bytes(whole[:-1] + b"\0")
    with pytest.raises(InputError, match="not those that were written"):
        read(tmp_path / "x.safetensors")


def test_rows_are_matched_by_their_ids():
    X = np.arange(12.0).reshape(4, 3)
    a = Representation({"": X}, np.array(list("abcd")), "a.npz")
    b = Representation({"": X[[2, 0, 3, 1]]}, np.array(list("cadb")), "b.npz")
    np.testing.assert_array_equal(matched(a, b)[1].layers[""], X)


@pytest.mark.parametrize(("ids", "words"), [("abcx", "do not name the same"), ("abca", "more than once")])
def test_ids_that_disagree_are_refused(ids, words):
    X = np.zeros((4, 2))
    a, b = (Representation({"": X}, np.array(list(names)), "a.npy") for names in ("abcd", ids))
    with pytest.raises(InputError, match=words):
        matched(a, b)


class Mischief:
    def __reduce__(self):
        return print, ("run by a file",)


def test_no_file_runs_code(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    torch.save({"x": Mischief()}, tmp_path / "x.pt")
    np.save(tmp_path / "x.npy", np.array([Mischief()], dtype=object), allow_pickle=True)
    for name in ("x.pt", "x.npy"):
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.npy", b"", "cannot be read"),
        ("x.csv", b"name,a\nfoo,1\n", "holds no numbers"),
        ("x.csv", b"id\nfoo\n", "holds no numbers"),
        ("x.mat", b"", "can be read"),
        ("x.safetensors", b"123", "cannot be read"),
    ],
)
def test_refuses(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read(tmp_path / name)
    with pytest.raises(InputError, match="is not there"):
        read(tmp_path / "missing.npy")
