"""Models that take picture and text together, against a plain forward pass, one pair at a time."""

import numpy as np
import pytest
import tiny
import torch
import transformers as t
from PIL import Image

from consilience import InputError, features
from consilience.features import store
from consilience.stimuli import Stimuli

TEXTS = ("a cat", "the big dog runs under the blue tree and then it rains", "it rains")
WIDE = {"hidden_size": 64, "num_hidden_layers": 3}  # of 64, for its vision heads are 64 units wide


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")


@pytest.fixture(scope="module")
def things():
    rng = np.random.default_rng(0)
    images = tuple(Image.fromarray(rng.integers(0, 256, (20 + 7 * i, 30, 3), np.uint8)) for i in range(len(TEXTS)))
    return Stimuli("things", tuple("abc"), images=images, texts={"en": TEXTS})


@pytest.fixture(scope="module")
def vilt(tmp_path_factory):
    config = t.ViltConfig(vocab_size=40, **tiny.PICTURE, **tiny.SMALL)
    processor = t.ViltImageProcessorPil(size={"shortest_edge": 16}, size_divisor=8)
    return tiny.folder(tmp_path_factory.mktemp("vilt"), config, tokenizer=tiny.bert(), processor=processor)


@pytest.fixture(scope="module")
def bridgetower(tmp_path_factory):
    text = {"vocab_size": 40, "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 30}
    config = t.BridgeTowerConfig(
        text_config=text | WIDE,
        vision_config=tiny.PICTURE | WIDE,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
    )
    place = tmp_path_factory.mktemp("bridgetower")
    return tiny.folder(place, config, tokenizer=tiny.roberta(), processor=tiny.pictures())


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


@torch.no_grad()
def plainly(place, processor, tokenizer, text, image):
    model = t.AutoModel.from_pretrained(place).eval()
    words, picture = tokenizer(text, return_tensors="pt"), processor([image], return_tensors="pt")
    return model(**words, **picture, output_hidden_states=True), words["input_ids"].shape[1]


def close(found, expected):
    np.testing.assert_allclose(found, torch.stack(expected), rtol=1e-4, atol=2e-5)


def test_vilt_is_read_over_words_and_patches(vilt, things):
    found = encode(vilt, things)
    assert found.layers == ["embeddings", "block1", "block2", "norm"] and found.origin["modality"] == "text+image"
    processor = t.ViltImageProcessorPil.from_pretrained(vilt)
    rows = {layer: [] for layer in found}
    for text, image in zip(TEXTS, things, strict=True):
        out, n_words = plainly(vilt, processor, tiny.bert(), text, image)
        for layer, state in zip(rows, (*out.hidden_states, out.last_hidden_state), strict=True):
            kept = torch.cat([state[0, 1 : n_words - 1], state[0, n_words + 1 :]])  # without [CLS], [SEP], image class
            rows[layer].append(kept.mean(0))
    for layer in found:
        close(found[layer], rows[layer])


def test_bridgetower_is_read_in_each_of_its_streams(bridgetower, things):
    found = encode(bridgetower, things, batch_size=3)
    rows = {layer: [] for layer in found if not layer.startswith("crossed") or "embeddings" not in layer}
    for text, image in zip(TEXTS, things, strict=True):
        out, n_words = plainly(bridgetower, tiny.pictures(), tiny.roberta(), text, image)
        texts, images, crossed = out.hidden_states
        words = [state[0, 1 : n_words - 1].mean(0) for state in (*texts, *(text for text, _ in crossed))]
        patches = [state[1:, 0].mean(0) for state in images] + [image[0, 1:].mean(0) for _, image in crossed]
        for stream, values in (("text", words), ("image", patches)):
            for layer, row in zip((layer for layer in rows if stream in layer), values, strict=True):
                rows[layer].append(row)
    assert len(rows) == 2 * (4 + 2)
    for layer, expected in rows.items():
        close(found[layer], expected)


def test_text_and_picture_both_move_the_address(vilt, things):
    other = Stimuli("things", things.ids, images=things.images, texts={"en": (*TEXTS[:2], "a dog")})
    assert encode(vilt, things).origin.address != encode(vilt, other).origin.address


def test_stimuli_without_text_are_refused(vilt, things):
    with pytest.raises(InputError, match=r"takes text\+image; pictures has image"):
        encode(vilt, Stimuli("pictures", things.ids, images=things.images))
