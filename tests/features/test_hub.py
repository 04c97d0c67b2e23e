"""Models of the hub: revisions, offline, gated, missing, too large; never code, never pickle. No network is needed."""

import shutil
import warnings
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest
import tiny
import torch
from cases import CASES
from huggingface_hub import errors
from PIL import Image
from transformers import AutoModel

from consilience import InputError, features, registries
from consilience.features import hub as reader
from consilience.features import store
from consilience.features.encoder import square
from consilience.features.pooling import pooled
from consilience.kit import KitError
from consilience.stimuli import Stimuli

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = ("a cat", "the big dog runs", "it rains")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")


@pytest.fixture(scope="module")
def things():
    rng = np.random.default_rng(0)
    images = tuple(Image.fromarray(rng.integers(0, 256, (20 + 7 * i, 30, 3), np.uint8)) for i in range(3))
    french = tuple(reversed(TEXTS))
    return Stimuli("things", tuple("abc"), images=images, texts={"en": TEXTS, "fr": french})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """CLIP, both towers, in a folder that is named as the hub's cache names them."""
    case = CASES["CLIP, text"]()
    folder = tmp_path_factory.mktemp("snapshots") / COMMIT
    return tiny.folder(folder, case.config, tokenizer=case.processor, processor=tiny.pictures())


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


@pytest.fixture
def hub(place, monkeypatch):
    """A hub with one repository, which remembers what it was asked."""
    asked = []

    class File:
        rfilename, size = "model.safetensors", 1000

    def download(repository, **options):
        asked.append(options)
        return str(place)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(
        huggingface_hub, "model_info", lambda *_, **__: SimpleNamespace(id="owner/clip", siblings=[File])
    )
    return asked, File


def test_a_revision_is_passed_on_and_one_that_is_missing_is_told(hub, things):
    asked, _ = hub
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pinned = encode(f"owner/clip@{COMMIT}", things)
    assert asked[0]["revision"] == COMMIT
    assert not any(pattern.endswith((".py", ".bin", ".pt", "*")) for pattern in asked[0]["allow_patterns"])
    with pytest.warns(UserWarning, match=rf"owner/clip@\.\.\. names no revision.*{COMMIT}"):
        free = encode("owner/clip", things)
    np.testing.assert_array_equal(pinned["joint"], free["joint"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.GatedRepoError, "gated. Accept its terms"),
        (errors.RepositoryNotFoundError, "no such repository"),
        (errors.RevisionNotFoundError, "no such revision"),
        (errors.LocalEntryNotFoundError, "not here yet"),
    ],
)
def test_what_does_not_come_is_said_in_words(hub, things, monkeypatch, error, words):
    def refuse(*_, **__):
        raise error.__new__(error)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(KitError, match=rf"owner/clip: .*{words}"):
        encode(f"owner/clip@{COMMIT}", things)


def test_a_model_larger_than_memory_is_not_fetched(hub, things):
    asked, file = hub
    file.size = 10**15
    with pytest.raises(KitError, match=r"take 1000000.0 GB, .* too large for this machine"):
        encode(f"owner/clip@{COMMIT}", things)
    assert not asked


def test_a_repository_of_pickles_is_not_fetched(hub, things):
    asked, file = hub
    file.rfilename = "pytorch_model.bin"
    with pytest.raises(KitError, match="no safetensors, and pickled weights"):
        encode(f"owner/clip@{COMMIT}", things)
    assert not asked


def test_offline_asks_nothing_of_the_network(hub, things, monkeypatch):
    asked, _ = hub
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub, "model_info", lambda *_, **__: pytest.fail("the hub was asked"))
    encode(f"owner/clip@{COMMIT}", things)
    assert asked[0]["local_files_only"]


def test_offline_and_not_here_is_said_in_words(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(registries.RegistryError, match="not here yet"):
        registries.from_hub("owner/nothing")


# Folders, which are read as repositories are.


@pytest.fixture
def mine(place, tmp_path):
    return shutil.copytree(place, tmp_path / "mine")


def test_pickled_weights_in_a_folder_are_never_read(mine, things):
    (mine / "model.safetensors").rename(mine / "pytorch_model.bin")
    with pytest.raises(KitError, match="pickled weights, which can run code, are never read"):
        encode(mine, things)


def test_code_in_a_folder_is_never_run(mine, things):
    (mine / "modeling.py").write_text("raise SystemExit('it ran')")
    tiny.tell(mine, "config.json", model_type="novel", auto_map={"AutoConfig": "modeling.C", "AutoModel": "modeling.M"})
    with pytest.raises(KitError, match=r"'novel' model.*never run"):
        encode(mine, things)


def test_weights_that_do_not_fit_are_not_read(mine, things, monkeypatch):
    monkeypatch.setattr("consilience.core.memory.available", lambda: 1000)
    with pytest.raises(InputError, match=r"weights of mine, as float32, would take .* of memory"):
        encode(mine, things)


def test_changed_weights_and_changed_processors_are_other_features(mine, things):
    first = encode(mine, things)
    tiny.tell(mine, "preprocessor_config.json", image_mean=[0.4, 0.5, 0.6])
    second = encode(mine, things)
    assert not np.allclose(first["block1"], second["block1"])
    tiny.folder(mine, CASES["CLIP, text"]().config, seed=1)
    third = encode(mine, things)
    assert len({each.origin.address for each in (first, second, third)}) == 3


# What a call may choose.


def test_a_language_asks_for_the_text_tower(place, things):
    assert encode(place, things).origin["modality"] == "image"
    english, french = (encode(place, things, language=language) for language in ("en", "fr"))
    assert english.origin["modality"] == "text"
    np.testing.assert_allclose(english["joint"], french["joint"][::-1], atol=1e-5)
    with pytest.raises(InputError, match="modality is 'sound'; the model takes image or text"):
        encode(place, things, modality="sound")
    with pytest.raises(InputError, match="language is 'en', but the model takes image"):
        encode(place, things, modality="image", language="en")


def test_captions_do_not_change_what_an_image_encoder_sees(place, things):
    silent = Stimuli("pictures", things.ids, images=things.images)
    assert encode(place, things, modality="image").origin.address == encode(place, silent).origin.address


def test_the_end_of_a_text_is_what_clip_projects(place, things):
    options = {"modality": "text", "layers": ["norm", "joint"]}
    ends = encode(place, things, pool="cls", **options)
    assert ends.layers == ["norm", "joint"]
    projected = AutoModel.from_pretrained(place).text_projection(torch.tensor(np.array(ends["norm"])))
    np.testing.assert_allclose(ends["joint"], projected.detach(), atol=1e-5)


def test_half_precision_is_near_and_other_features(place, things):
    whole, half = encode(place, things), encode(place, things, dtype="bfloat16")
    assert whole.origin["dtype"] == "float32" and half.origin["dtype"] == "bfloat16"
    for layer in whole:
        assert not np.array_equal(whole[layer], half[layer])
        np.testing.assert_allclose(half[layer], whole[layer], atol=0.1 * np.abs(whole[layer]).max())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["block9"]}, r"layers names 'block9'; there are embeddings, block1, block2, joint"),
        ({"dtype": "int8"}, "dtype is 'int8'"),
        ({"device": "abacus"}, "device is 'abacus'; torch finds"),
        ({"pool": "middle"}, "pool is 'middle'"),
        ({"bad": "ignore"}, "bad is 'ignore'"),
        ({"parts": ["x"]}, "parts is 'x'"),
        ({"language": "de"}, "choose one: en, fr"),
    ],
)
def test_what_cannot_be_meant_is_refused(place, things, options, message):
    with pytest.raises(InputError, match=message):
        encode(place, things, **options)


def test_pictures_may_be_framed_by_the_row(place, things):
    options = {"modality": "image", "input": {"square": True}}
    framed = reader.load(options, place, "trained", 0).encode([things.image(2)])
    plain = reader.load({"modality": "image"}, place, "trained", 0).encode([square(things.image(2))])
    for a, b in zip(framed, plain, strict=True):
        np.testing.assert_array_equal(pooled(a), pooled(b))
