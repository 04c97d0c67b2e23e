"""Encoding and its cache, with tiny models in folders laid out as the hub does it."""

from importlib import import_module

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from consilience import features, kit
from consilience.features import store
from consilience.features.encoder import prepare, square
from consilience.features.pooling import pooled
from consilience.stimuli import Stimuli

VIT = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """Features go into an empty folder; the kit stays where it is."""
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache/features"


def kept(folder):
    return list(folder.glob("*.safetensors"))


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """Seven pictures of coloured noise, of different shapes."""
    folder, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    names = tuple(f"noise{i}" for i in range(7))
    for i, name in enumerate(names):
        pixels = rng.integers(0, 256, (20 + 3 * i, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    paths = tuple(folder / f"{name}.png" for name in names)
    return Stimuli("noise", names, images=paths)


def saved(folder, model, side=16):
    model.save_pretrained(folder)
    size = {"height": side, "width": side}
    transformers.ViTImageProcessorPil(size=size).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    torch.manual_seed(1)
    config = transformers.ViTConfig(image_size=16, patch_size=8, **VIT)
    return saved(tmp_path_factory.mktemp("vit"), transformers.ViTModel(config))


@pytest.fixture(scope="module")
def convnext(tmp_path_factory):
    torch.manual_seed(1)
    config = transformers.ConvNextConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 2, 1])
    return saved(tmp_path_factory.mktemp("convnext"), transformers.ConvNextModel(config), side=64)


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


def hidden_states(folder, family, stimuli):
    """The model's own, on its own processor's pictures: the independent way."""
    model = family.from_pretrained(folder).eval()
    processor = transformers.ViTImageProcessorPil.from_pretrained(folder)
    x = processor(list(stimuli), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return model(x, output_hidden_states=True)


def test_layers_of_a_transformer_are_means_of_its_patch_tokens(vit, noise):
    found = encode(vit, noise)
    assert found.layers == ["embeddings", "block1", "block2", "block3", "norm"]
    np.testing.assert_allclose(found.depth, [0, 0.25, 0.5, 0.75, 1])
    out = hidden_states(vit, transformers.ViTModel, noise)
    for layer, state in zip(found.layers, [*out.hidden_states, out.last_hidden_state], strict=True):
        assert state.shape[1] == 5, "a class token and four patches"
        np.testing.assert_allclose(found[layer], state[:, 1:].mean(1), atol=1e-5)
        assert found[layer].dtype == np.float32


def test_layers_of_a_convolutional_network_are_means_over_space(convnext, noise):
    found = encode(convnext, noise)
    assert found.layers == ["embeddings", "stage1", "stage2", "stage3", "stage4"]
    out = hidden_states(convnext, transformers.ConvNextModel, noise)
    for layer, state in zip(found.layers, out.hidden_states, strict=True):
        np.testing.assert_allclose(found[layer], state.flatten(2).mean(2), atol=1e-5)


def test_an_untrained_twin_is_reproducible_and_another(vit, noise, empty_cache):
    trained = encode(vit, noise)
    state = torch.random.get_rng_state()
    twin = encode(vit, noise, weights="random", seed=3)
    assert torch.equal(state, torch.random.get_rng_state()), "the reader's own random numbers are left alone"
    for file in kept(empty_cache):
        file.unlink()
    torch.manual_seed(99)
    again, other = encode(vit, noise, weights="random", seed=3), encode(vit, noise, weights="random", seed=4)
    for layer in twin:
        np.testing.assert_array_equal(twin[layer], again[layer])
        assert not np.allclose(twin[layer], other[layer])
        assert not np.allclose(twin[layer], trained[layer])
    assert twin.weights == "random" and twin.origin["weights_sha256"] is None and twin.origin["seed"] == 3


def test_batch_size_does_not_matter(vit, noise, empty_cache):
    one = encode(vit, noise, batch_size=1)
    (file,) = kept(empty_cache)
    file.unlink()
    all_at_once = encode(vit, noise, batch_size=7)
    for layer in one:
        np.testing.assert_allclose(one[layer], all_at_once[layer], atol=1e-5)


def test_what_was_encoded_is_read_from_the_cache(vit, noise, monkeypatch):
    first = encode(vit, noise)
    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", lambda *_, **__: pytest.fail("computed again"))
    second = encode(vit, noise)
    assert second.layers == first.layers and second.origin == first.origin
    for layer in first:
        np.testing.assert_array_equal(first[layer], second[layer])


def test_other_stimuli_weights_or_code_are_never_taken_for_these(vit, noise, empty_cache, tmp_path, monkeypatch):
    encode(vit, noise)
    encode(vit, noise[:4])
    assert len(kept(empty_cache)) == 2
    model = transformers.ViTModel.from_pretrained(vit)
    with torch.no_grad():
        model.embeddings.cls_token += 1
    model.save_pretrained(vit)
    encode(vit, noise)
    assert len(kept(empty_cache)) == 3
    monkeypatch.setattr(store, "code", lambda: "changed")
    encode(vit, noise)
    assert len(kept(empty_cache)) == 4


def test_an_interrupted_run_goes_on_where_it_was(vit, noise, empty_cache, monkeypatch):
    expected = encode(vit, noise[:5], batch_size=2)
    seen = []

    def interrupted(state, pool):
        seen.append(pool)
        if len(seen) == 12:  # two batches of five layers, and then some
            raise KeyboardInterrupt
        return pooled(state, pool)

    (file,) = kept(empty_cache)
    file.unlink()
    monkeypatch.setattr(import_module("consilience.features.batches"), "pooled", interrupted)
    with pytest.raises(KeyboardInterrupt):
        encode(vit, noise[:5], batch_size=2)
    assert kept(empty_cache) == []
    seen.clear()
    found = encode(vit, noise[:5], batch_size=2)
    assert len(seen) == 5, "one batch was left"
    for layer in expected:
        np.testing.assert_array_equal(found[layer], expected[layer])


def test_a_broken_file_is_computed_again(vit, noise, empty_cache):
    first = encode(vit, noise)
    (file,) = kept(empty_cache)
    file.write_bytes(file.read_bytes()[:200])
    np.testing.assert_array_equal(encode(vit, noise)["norm"], first["norm"])


def test_weights_that_lack_a_layer_are_refused(vit, noise, tmp_path):
    config = transformers.ViTConfig(image_size=16, patch_size=8, **VIT | {"num_hidden_layers": 4})
    folder = saved(tmp_path / "deeper", transformers.ViTModel(config))
    state = transformers.ViTModel.from_pretrained(vit).state_dict()
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in state.items()}, f"{folder}/model.safetensors", {"format": "pt"})
    with pytest.raises(kit.KitError, match="lacks weights"):
        encode(folder, noise)


def test_a_layer_that_is_not_there_lists_the_layers(vit, noise):
    with pytest.raises(KeyError, match=r"no layer 'block9'.*block1"):
        encode(vit, noise)["block9"]


def test_bad_input_is_refused_in_words(vit, noise, tmp_path):
    with pytest.raises(kit.KitError, match="no model named 'nothing'"):
        encode("nothing", noise)
    with pytest.raises(kit.KitError, match="tuxpaint-stamps is a data set"):
        encode("tuxpaint-stamps", noise)
    with pytest.raises(ValueError, match="not empty"):
        encode(vit, noise[:0])
    with pytest.raises(ValueError, match="no twin"):
        encode("pixels", noise, weights="random")


# The picture as a network sees it.


def test_a_picture_is_padded_with_white_then_normalised():
    image = Image.new("RGB", (4, 2), (10, 20, 30))
    x = prepare([image], size=4, mean=[5, 0, 0], std=[1, 2, 1])
    assert x.shape == (1, 3, 4, 4) and x.dtype == np.float32
    np.testing.assert_array_equal(x[0, :, 1], np.float32([[5] * 4, [10] * 4, [30] * 4]))
    np.testing.assert_array_equal(x[0, :, 0], np.float32([[250] * 4, [127.5] * 4, [255] * 4]))
    flipped = prepare([image], size=4, mean=[0, 0, 0], std=[1, 1, 1], channels="BGR")
    np.testing.assert_array_equal(flipped[0, :, 1, 0], [30, 20, 10])


def test_pixels_are_the_picture(noise):
    found = encode("pixels", noise)
    assert found.layers == ["pixels"] and found["pixels"].shape == (7, 3 * 16 * 16)
    assert found["pixels"].min() >= 0 and found["pixels"].max() <= 1
    small = np.asarray(square(noise.image(2)).resize((16, 16), Image.Resampling.BICUBIC)) / 255
    np.testing.assert_allclose(found["pixels"][2].reshape(3, 16, 16).transpose(1, 2, 0), small, atol=1e-6)
