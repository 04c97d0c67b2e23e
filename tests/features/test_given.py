"""Torch networks by hooks, and plain functions."""

import numpy as np
import pytest
import torch
from PIL import Image

from consilience import InputError, features
from consilience.features import store
from consilience.stimuli import Stimuli


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    images = tuple(Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)) for _ in range(5))
    return Stimuli("noise", tuple("abcde"), images=images)


class Attentive(torch.nn.Module):
    """A convolution, then tokens, then one row; dropout shows whether it is evaluated."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.eyes = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Dropout(0.9))
        self.mix = torch.nn.MultiheadAttention(4, 2, batch_first=True)
        self.end = torch.nn.Linear(4, 2)

    def forward(self, x):
        tokens = self.eyes(x).flatten(2).transpose(1, 2)
        return self.end(self.mix(tokens, tokens, tokens)[0].mean(1))


def pixels(images):
    return torch.stack([torch.tensor(np.asarray(image)).permute(2, 0, 1) / 255 for image in images])


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


def test_named_modules_become_layers(noise, empty_cache):
    network = Attentive()
    network.mix.eval()
    found = encode(network, noise, layers=["eyes.0", "eyes", "mix", "end"], prepare=pixels)
    assert network.training and network.eyes.training and not network.mix.training, "left as it was, part by part"
    network.eval()
    with torch.no_grad():
        maps = network.eyes(pixels(noise))
        tokens = maps.flatten(2).transpose(1, 2)
        mixed = network.mix(tokens, tokens, tokens)[0]
        expected = [
            network.eyes[0](pixels(noise)).mean((2, 3)),
            maps.mean((2, 3)),
            mixed.mean(1),
            network(pixels(noise)),
        ]
    for layer, X in zip(("eyes.0", "eyes", "mix", "end"), expected, strict=True):
        np.testing.assert_allclose(found[layer], X, atol=1e-6)
    assert found.ids == noise.ids and not empty_cache.exists(), "its code cannot be told from another's"


def test_a_network_alone_gives_its_output(noise):
    network = Attentive().eval()
    found = encode(network, noise, prepare=lambda images: {"x": pixels(images)})
    np.testing.assert_allclose(found["output"], network(pixels(noise)).detach(), atol=1e-6)


def test_a_mask_among_the_inputs_says_what_is_padding():
    class Words(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(10, 3)

        def forward(self, input_ids, attention_mask):
            return self.embed(input_ids)

    network, texts = Words(), ("1 2", "3")

    def prepare(items):
        ids = [[int(word) for word in item.split()] for item in items]
        longest = max(map(len, ids))
        padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
        return {"input_ids": padded, "attention_mask": padded != 0}

    found = encode(
        network, Stimuli("w", ("a", "b"), texts={"en": texts}), layers=["embed"], prepare=prepare, batch_size=2
    )
    weight = network.embed.weight.detach()
    np.testing.assert_allclose(found["embed"], torch.stack([weight[1:3].mean(0), weight[3]]), atol=1e-6)


def test_a_function_is_a_model(noise):
    def brightness(images):
        return np.array([[np.asarray(image).mean(), np.asarray(image).std()] for image in images])

    found = encode(brightness, noise)
    assert found.layers == ["output"] and found.model == "brightness"
    np.testing.assert_allclose(found["output"], brightness(list(noise)), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["eyes.9"], "prepare": pixels}, r"no module 'eyes.9'; it has eyes.0, eyes.1, eyes.2"),
        ({"layers": ["eyes"]}, "give prepare="),
        ({"layers": "eyes", "prepare": pixels}, "give a list of names"),
        ({"prepare": pixels, "weights": "random"}, "taken as it is"),
        ({"prepare": pixels, "parts": ["q"]}, "leaves no choice of parts"),
        ({"prepare": pixels, "modality": "sound"}, "has no sound"),
        ({"prepare": pixels, "pool": "cls", "layers": ["mix"]}, "no token for the whole"),
    ],
)
def test_what_cannot_be_meant_is_refused(noise, options, message):
    with pytest.raises(InputError, match=message):
        encode(Attentive(), noise, **options)


def test_a_module_that_runs_twice_is_no_layer(noise):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 192))
    network.append(network[1])
    with pytest.raises(InputError, match="runs more than once"):
        encode(network, noise, layers=["1"], prepare=pixels)


def test_a_function_must_give_a_row_each(noise):
    with pytest.raises(InputError, match=r"shape \(3,\) for 1 stimuli"):
        encode(lambda images: np.ones(3), noise)
