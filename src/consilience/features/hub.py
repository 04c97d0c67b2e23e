"""A model of the transformers library in a folder laid out as on the Hugging Face hub, with its own processors."""

from __future__ import annotations

import json
from pathlib import Path

from ..kit import KitError
from ..optional import bring
from .encoder import Encoder, square
from .families import family, modalities
from .network import encoder
from .sides import images, sounds, text_with_image, texts
from .weights import drawn, need_room, pretrained, safetensors

OPTIONS = ("modality", "parts", "dtype", "device")  # what a call may choose
SAFE = {"trust_remote_code": False}  # code that comes with a model is never run


def load(row, folder, weights, seed) -> Encoder:
    """An encoder of the modality `row` names, with the layers that :mod:`.network` finds."""
    transformers, torch = bring("transformers"), bring("torch")
    config = configuration(folder)
    for name, value in family(config).config.items():
        setattr(config, name, value)
    dtype, device = getattr(torch, row.get("dtype", "float32")), row.get("device", "cpu")
    if weights == "random":
        model = drawn(lambda config: transformers.AutoModel.from_config(config, dtype=dtype, **SAFE), config, seed)
    else:
        safetensors(folder)
        need_room(folder, saved_as(folder), row.get("dtype", "float32"), device)
        options = {"config": config, "dtype": dtype, "use_safetensors": True, **SAFE}
        model = pretrained(transformers.AutoModel, folder, **options)
    model.config.use_cache = False  # of earlier tokens, for writing on
    modality = row.get("modality") or modalities(config)[0]
    return encoder(model.to(device), modality, side(modality, row, folder, model), row.get("parts"))


def configuration(folder):
    """The configuration of the model in a folder.

    Raises
    ------
    consilience.kit.KitError
        If this version of transformers has no such model; code that comes with it would not be run.
    """
    try:
        return bring("transformers").AutoConfig.from_pretrained(folder, **SAFE)
    except (ValueError, KeyError) as error:
        raise KitError(
            f"{folder} holds a {told(folder).get('model_type', 'nameless')!r} model, which transformers "
            f"{bring('transformers').__version__} does not have, and code that comes with a model is never run."
        ) from error


def side(modality, row, folder, model):
    """The model's own processor of a modality."""
    if modality == "text+image":
        return text_with_image(text_side(row, folder, model), image_side(row, folder, model))
    return {"image": image_side, "text": text_side, "sound": sound_side}[modality](row, folder, model)


def image_side(row, folder, model):
    processor = bring("transformers").AutoImageProcessor.from_pretrained(folder, backend="pil", **SAFE)
    framed = square if row.get("input", {}).get("square") else lambda image: image

    def pixels(pictures):
        return dict(processor([framed(picture) for picture in pictures], return_tensors="pt"))

    return images(pixels, of_tower(model.config, "vision_config"), family(model.config).before(model))


def text_side(row, folder, model):
    tokenizer = bring("transformers").AutoTokenizer.from_pretrained(folder, **SAFE)
    return texts(tokenizer, of_tower(model.config, "text_config"))


def sound_side(row, folder, model):
    extractor = bring("transformers").AutoFeatureExtractor.from_pretrained(folder, **SAFE)
    return sounds(extractor, of_tower(model.config, "audio_config"))


def of_tower(config, name):
    """The configuration of one tower; of the whole where there is one."""
    return getattr(config, name, None) or config


def told(folder):
    """What config.json says."""
    return json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))


def saved_as(folder):
    """The dtype of the weights in a folder, as config.json has it."""
    config = told(folder)
    inner = config.get("text_config") or {}
    return config.get("dtype") or config.get("torch_dtype") or inner.get("dtype") or "float32"
