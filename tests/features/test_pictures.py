"""Which tokens stand for patches, and which side of a map is its channels, where models do not agree; timm."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import transformers as t
from PIL import Image

from consilience import InputError, features
from consilience.features import store
from consilience.features.sides import images
from consilience.features.tokens import Map
from consilience.stimuli import Stimuli


def state(values, height=32, width=32, before=None, **config):
    side = images(
        lambda items: {"pixel_values": torch.zeros(1, 3, height, width)},
        SimpleNamespace(model_type="x", **config),
        before,
    )
    return side.read([None])[1](torch.as_tensor(values))


@pytest.mark.parametrize(("n_tokens", "first"), [(16, 0), (17, 1), (21, 5), (4, 0)])
def test_what_is_more_than_patches_comes_before_them(n_tokens, first):
    tokens = state(torch.zeros(1, n_tokens, 2), patch_size=8)
    assert tokens.kept.sum() == n_tokens - first and tokens.kept[0, first:].all()
    assert tokens.summary == (0 if first else None)


def test_a_model_that_says_how_many_is_believed():
    assert state(torch.zeros(1, 17, 2), before=0).kept.all()


def test_patches_of_unknown_size_are_not_guessed():
    with pytest.raises(InputError, match="patches is not known"):
        state(torch.zeros(1, 17, 2))


def test_channels_may_come_first_or_last():
    values = torch.arange(2.0 * 4 * 4 * 6).reshape(2, 4, 4, 6)
    turned = state(values)
    assert isinstance(turned, Map) and turned.values.shape == (2, 6, 4, 4)
    torch.testing.assert_close(turned.values.mean((2, 3)), values.mean((1, 2)))
    assert state(values.permute(0, 3, 1, 2)).values.shape == (2, 6, 4, 4)


# timm, where it is installed.

TIMM = {
    "vit_tiny_patch16_224": {"img_size": 32, "depth": 2, "embed_dim": 24},
    "resnet18": {},
    "convnext_atto": {"depths": (1, 1, 2, 1), "dims": (8, 12, 16, 20)},
    "swin_tiny_patch4_window7_224": {"img_size": 56, "depths": (1, 1), "embed_dim": 12, "num_heads": (1, 2)},
}


@pytest.mark.parametrize("name", TIMM)
def test_timm_equals_its_own_intermediate_states(name, tmp_path, monkeypatch):
    pytest.importorskip("timm")
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")
    side = TIMM[name].get("img_size", 64)
    given = {"input_size": [3, side, side], "mean": [0.4] * 3, "std": [0.3] * 3, "interpolation": "bicubic"}
    config = t.TimmWrapperConfig(architecture=name, model_args=TIMM[name], pretrained_cfg=given | {"crop_pct": 1.0})
    torch.manual_seed(0)
    model = t.TimmWrapperModel(config).eval()
    model.save_pretrained(tmp_path / "model")
    rng = np.random.default_rng(0)
    pictures = tuple(Image.fromarray(rng.integers(0, 256, (70, 70, 3), np.uint8)) for _ in range(3))
    found = features.encode(tmp_path / "model", Stimuli("noise", tuple("abc"), images=pictures), progress=False)
    processor = t.AutoImageProcessor.from_pretrained(tmp_path / "model", backend="pil")
    x = processor(list(pictures), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        states = model.timm_model.forward_intermediates(x, intermediates_only=True, norm=False, output_fmt="NCHW")
    blocks = [layer for layer in found if layer[:5] in ("block", "stage")]
    for layer, state in zip(blocks, states[-len(blocks) :], strict=True):
        np.testing.assert_allclose(found[layer], state.mean((2, 3)), rtol=1e-4, atol=1e-5)
