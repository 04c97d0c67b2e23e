"""Every family of models against a plain forward pass, one stimulus at a time, with the library's own hidden states."""

import numpy as np
import pytest
import tiny
import torch
import transformers as t
from cases import CASES
from PIL import Image

from consilience import InputError, features
from consilience.features import store
from consilience.stimuli import Stimuli

TEXTS = ("a cat", "the big dog runs under the blue tree and then it rains", "it rains", "small house")


@pytest.fixture(scope="module")
def things():
    """Four things, each a picture, a text and a sound, all of different size."""
    rng = np.random.default_rng(0)
    images = tuple(Image.fromarray(rng.integers(0, 256, (20 + 7 * i, 30, 3), np.uint8)) for i in range(len(TEXTS)))
    ids = tuple("abcd")
    return Stimuli(
        "things", ids, images=images, texts={"en": TEXTS}, sounds={"en": tiny.waves([0.1, 0.9, 0.0555, 0.32])}
    )


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


def made(name, place):
    case = CASES[name]()
    return case, str(tiny.folder(place, case.config, processor=case.processor))


@torch.no_grad()
def plainly(case, place, item):
    """The states of one stimulus, each pooled by hand, as {layer: row}."""
    config = t.AutoConfig.from_pretrained(place)
    if case.config.model_type == "vit_mae":
        config.mask_ratio = 0.0  # the order of the patches stays random, and no mean sees it
    model = t.AutoModel.from_pretrained(place, config=config).eval()
    tower = model.get_submodule(case.tower)
    inputs, mean = INPUTS[case.modality](case, item, getattr(tower, "config", config))
    before_norm = []
    norm = tower.get_submodule(case.norm)
    with norm.register_forward_pre_hook(lambda _, given: before_norm.append(given[0] if given else None)):
        out = tower(**inputs, output_hidden_states=True)
    if case.config.model_type == "mamba":  # whose list starts after the first block
        out.hidden_states = (tower.embeddings(inputs["input_ids"]), *out.hidden_states[:-1])
    last = before_norm if case.norm else [out.hidden_states[-1]]
    states = [*out.hidden_states[:-1], *last, *([out.last_hidden_state] if case.norm else [])]
    rows = [mean(state) for state in states]
    if case.joint:
        rows.append(getattr(model, case.joint)(**inputs).pooler_output[0])
    return [row.numpy() for row in rows]


def of_image(case, image, config):
    inputs = case.processor([image], return_tensors="pt")

    def mean(state):
        if state.ndim == 4:
            return state[0].mean((1, 2))
        return state[0, -4:].mean(0)  # two by two patches, after whatever else there is

    return inputs, mean


def of_text(case, text, config):
    inputs = case.processor(text, return_tensors="pt", padding="max_length" if case.padded else False)
    n_tokens, (before, after) = len(case.processor(text)["input_ids"]), case.specials
    return inputs, lambda state: state[0, before : n_tokens - after].mean(0)


def of_sound(case, sound, config):
    rate = case.processor.sampling_rate
    if rate != 16_000:
        from scipy.signal import resample_poly

        sound = resample_poly(sound, rate // 1000, 16)
    inputs = case.processor([sound], sampling_rate=rate, return_tensors="pt")
    n_frames = -(-len(sound) // 320) if config.model_type == "whisper" else None

    def mean(state):
        return state[0].flatten(1).mean(1) if state.ndim == 4 else state[0, :n_frames].mean(0)

    return inputs, mean


INPUTS = {"image": of_image, "text": of_text, "sound": of_sound}


@pytest.mark.parametrize("name", CASES)
def test_a_padded_batch_gives_what_a_plain_forward_pass_gives_one_by_one(name, tmp_path, things):
    case, place = made(name, tmp_path / "model")
    found = encode(place, things, modality=case.modality, batch_size=4)
    plain = [plainly(case, place, item) for item in things.items(case.modality)]
    expected = [np.stack(rows) for rows in zip(*plain, strict=True)]
    word = "stage" if "stages" in str(t.AutoModel.from_config(case.config)) else "block"
    blocks = [f"{word}{b + 1}" for b in range(len(expected) - 1 - bool(case.norm) - bool(case.joint))]
    assert found.layers == ["embeddings", *blocks, *["norm"] * bool(case.norm), *["joint"] * bool(case.joint)]
    for layer, X in zip(found.layers, expected, strict=True):
        np.testing.assert_allclose(found[layer], X, rtol=1e-4, atol=2e-5, err_msg=layer)
        assert np.ptp(X, axis=0).max() > 1e-3, "the stimuli differ"


def test_sounds_of_unknown_frames_are_refused(tmp_path, things):
    config = t.SEWConfig(**tiny.SMALL, **tiny.CONVOLUTIONS, **tiny.POSITIONS, squeeze_factor=1)
    place = tiny.folder(tmp_path / "model", config, processor=t.Wav2Vec2FeatureExtractor())
    with pytest.raises(InputError, match="padding is not known for models of type 'sew'"):
        encode(place, things)
