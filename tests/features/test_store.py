"""The cache of features: what was written comes back, whatever happens to files, processes and disks."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from consilience.check import InputError
from consilience.features import Features, sealed, store

ORIGIN = {"model": "tiny", "weights": "trained", "stimuli": "ab" * 32, "n_stimuli": 7, "pool": "mean"}
IDS = tuple("abcdefg")
WIDTHS = {"block2": 3, "block10": 5, "norm": 1}  # not in the order of the alphabet
ARRAYS = {layer: np.random.default_rng(d).standard_normal((7, d)).astype("f4") for layer, d in WIDTHS.items()}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_CACHE", str(tmp_path))
    return tmp_path / "features"


def write(entry, batch=2, upto=7):
    """Append what is not there yet, and count what was."""
    with entry.writing(7) as rows:
        done = rows.done
        for start in range(done, upto, batch):
            rows.append({layer: X[start : min(start + batch, upto)] for layer, X in ARRAYS.items()})
    return done


def same(found):
    assert found.layers == list(ARRAYS)
    for layer, X in ARRAYS.items():
        np.testing.assert_array_equal(found[layer], X)


def files(cache):
    return sorted(path.name for path in cache.glob("[!.]*"))


# What is written comes back, with all that belongs to it.


def test_rows_come_back_with_their_origin_and_ids():
    entry = store.entry(ORIGIN, IDS)
    assert entry.read() is None
    assert write(entry) == 0
    found = entry.read()
    same(found)
    assert found.origin == ORIGIN and found.ids == IDS and (found.model, found.weights) == ("tiny", "trained")


def test_a_large_file_is_mapped_and_a_small_one_outlives_its_file(monkeypatch):
    entry = store.entry(ORIGIN)
    write(entry)
    small = entry.read()
    monkeypatch.setattr(sealed, "MAPPED_FROM", 0)
    large = entry.read()
    same(large)
    assert all(isinstance(X, np.memmap) and not X.flags.writeable for X in large.values())
    with pytest.raises(ValueError, match="read-only"):
        large["norm"][0] = 1
    entry.path.unlink()
    same(large)
    same(pickle.loads(pickle.dumps(large)))
    write(entry)
    entry.path.write_bytes(b"")
    same(small)


def test_any_library_reads_the_file(cache):
    entry = store.entry(ORIGIN, IDS)
    write(entry)
    for layer, X in load_file(entry.path).items():
        np.testing.assert_array_equal(X, ARRAYS[layer])
    with safe_open(entry.path, "np") as file:
        assert json.loads(file.metadata()["origin"]) == ORIGIN
        assert json.loads(file.metadata()["ids"]) == list(IDS)
    assert files(cache) == [entry.path.name], "nothing of the making is left"


@settings(max_examples=30, deadline=None)
@given(key=st.sampled_from(sorted(ORIGIN)), value=st.none() | st.integers() | st.text(max_size=3))
def test_any_other_origin_is_another_file(key, value):
    other = ORIGIN | {key: value}
    assert (store.entry(other).origin.address == store.entry(ORIGIN).origin.address) == (value == ORIGIN[key])


def test_order_ids_and_names_of_data_sets_move_no_file():
    backwards = dict(reversed(ORIGIN.items())) | {"aside": {"stimuli": "stamps"}}
    assert store.entry(backwards, IDS).path == store.entry(ORIGIN).path
    write(store.entry(ORIGIN, IDS))
    assert store.entry(ORIGIN, IDS[::-1]).read().ids == IDS[::-1], "the reader's own names, not those of the first"


def test_origin_is_one_sentence():
    versions = {"torch": "2.13", "onnxruntime": None}
    origin = ORIGIN | {"weights_sha256": "c0ffee" * 10, "versions": versions, "aside": {"stimuli": "stamps"}}
    found = str(store.entry(origin).origin)
    assert found.startswith("tiny, weights c0ffeec0ff, on 7 stimuli of stamps, pooled by mean (torch 2.13); ")
    assert "random weights from seed 3" in str(store.entry(origin | {"weights": "random", "seed": 3}).origin)
    assert str(store.entry({}).origin), "whatever is missing"


def test_features_are_saved_and_loaded(tmp_path):
    write(store.entry(ORIGIN, IDS))
    found = store.entry(ORIGIN, IDS).read()
    for _ in range(2):  # over a file that is there
        found.save(tmp_path / "mine.safetensors")
    again = Features.load(tmp_path / "mine.safetensors")
    same(again)
    assert again.origin == found.origin and again.ids == IDS
    with pytest.raises(FileNotFoundError):
        Features.load(tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"3 ids.*7"):
        Features("tiny", "trained", ARRAYS, {}, ("a", "b", "c"))


@pytest.mark.parametrize("wrong", [np.zeros(7), np.zeros((7, 0)), np.zeros((7, 2, 2))])
def test_what_is_not_stimuli_by_units_is_refused(wrong, cache):
    with pytest.raises(InputError, match="layer 'x' has shape"), store.entry(ORIGIN).writing(7) as rows:
        rows.append({"x": wrong})
    assert files(cache) == []


def test_rows_that_do_not_fit_are_refused():
    entry = store.entry(ORIGIN)
    with pytest.raises(InputError, match="3 rows were written, but there are 7"), entry.writing(7) as rows:
        rows.append({"x": np.zeros((3, 2))})
    with pytest.raises(InputError, match="row 3 has other layers or units"), entry.writing(7) as rows:
        rows.append({"y": np.zeros((3, 2))})
    with pytest.raises(InputError, match="5 rows after 3 do not fit"), entry.writing(7) as rows:
        rows.append({"x": np.zeros((5, 2))})
    assert entry.read() is None


# A file that is not what was written is never shown.


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(data=st.data())
def test_no_flipped_bit_is_missed(data):
    entry = store.entry(ORIGIN, IDS)
    if not entry.path.exists():
        write(entry)
    whole = entry.path.read_bytes()
    at = data.draw(st.integers(0, 8 * len(whole) - 1))
    entry.path.write_bytes(whole[: at // 8] + bytes([whole[at // 8] ^ 1 << at % 8]) + whole[at // 8 + 1 :])
    assert entry.read() is None
    entry.path.write_bytes(whole)
    same(entry.read())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.data())
def test_no_other_length_is_missed(data):
    entry = store.entry(ORIGIN, IDS)
    if not entry.path.exists():
        write(entry)
    whole = entry.path.read_bytes()
    entry.path.write_bytes((whole + b"\0" * 99)[: data.draw(st.integers(0, len(whole) + 99).filter(len(whole).__ne__))])
    assert entry.read() is None
    entry.path.write_bytes(whole)


def foreign(path):
    save_file(ARRAYS, path)


def older(path):
    save_file(ARRAYS, path, {"format": sealed.FORMAT.replace("1", "0")})


def another(path):
    write(store.entry(ORIGIN | {"model": "other"}))
    store.entry(ORIGIN | {"model": "other"}).path.rename(path)


def cut(path):
    write(store.entry(ORIGIN))
    path.write_bytes(path.read_bytes()[:-9])


def changed(path):
    write(store.entry(ORIGIN))
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (foreign, "consilience did not write it"),
        (older, "another version of consilience wrote it"),
        (another, "another origin"),
        (cut, "bytes, and should have"),
        (changed, "not those that were written"),
        (lambda path: path.write_bytes(b"no"), "cut short"),
        (lambda path: path.write_bytes(b"\x08\0\0\0\0\0\0\0notjson}"), "header cannot be read"),
    ],
)
def test_a_spoilt_file_is_named_in_one_line_and_made_anew(cache, capsys, spoil, words):
    entry = store.entry(ORIGIN)
    cache.mkdir()
    spoil(entry.path)
    assert entry.read() is None
    told = capsys.readouterr().err.strip()
    assert "\n" not in told and words in told and entry.path.name in told
    assert write(entry) == 0
    same(entry.read())
    assert capsys.readouterr().err == ""


# Interrupted runs go on.


def test_an_interrupted_run_goes_on_where_it_was(cache, capsys):
    entry = store.entry(ORIGIN)
    with pytest.raises(KeyboardInterrupt), entry.writing(7) as rows:
        for start in (0, 2):
            rows.append({layer: X[start : start + 2] for layer, X in ARRAYS.items()})
        raise KeyboardInterrupt
    assert entry.read() is None
    assert write(entry, batch=3) == 4
    assert "4 of 7 rows" in capsys.readouterr().err
    same(entry.read())
    assert files(cache) == [entry.path.name]


def test_a_run_that_ended_before_its_first_row_leaves_nothing(cache):
    with pytest.raises(KeyboardInterrupt), store.entry(ORIGIN).writing(7):
        raise KeyboardInterrupt
    assert files(cache) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.data())
def test_no_row_that_was_changed_since_is_believed(data):
    entry = store.entry(ORIGIN, IDS)
    with pytest.raises(InputError, match="6 rows were written"):
        write(entry, upto=6)
    part = entry.partial / data.draw(st.sampled_from(["rows", "journal"]))
    whole = bytearray(part.read_bytes())
    at = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[at // 8] ^= 1 << at % 8
    part.write_bytes(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)
    write(entry)
    same(entry.read())
    entry.path.unlink()
