"""A vision model of the Hugging Face hub, or of a folder laid out like one, with its own image processor."""

from __future__ import annotations

from ..optional import bring
from .encoder import Encoder, square
from .transformer import drawn, encoder, pretrained

torch = bring("torch")


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with the model's hidden states as layers."""
    transformers = bring("transformers")
    if weights == "random":
        model = drawn(transformers.AutoModel.from_config, transformers.AutoConfig.from_pretrained(folder), seed)
    else:
        model = pretrained(transformers.AutoModel, folder, dtype=torch.float32)
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")

    def pixels(images):
        return processor([square(image) for image in images], return_tensors="pt")["pixel_values"]

    return encoder(model, pixels)
