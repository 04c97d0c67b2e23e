"""A language model out of a GGUF file, which transformers reads and dequantises into its own model."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..optional import bring
from .encoder import Encoder
from .network import encoder
from .sides import texts
from .weights import drawn, pretrained

torch = bring("torch")

FILE = "model.gguf"


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with the layers that :mod:`.network` finds."""
    transformers = bring("transformers")
    for reader in ("gguf", "accelerate"):  # which transformers brings in by itself
        bring(reader, "gguf")
    with tempfile.TemporaryDirectory() as place:
        join([folder / file for file in row["files"]], Path(place) / FILE)
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, gguf_file=FILE)
        if weights == "random":
            config = transformers.AutoConfig.from_pretrained(place, gguf_file=FILE)
            model = drawn(transformers.AutoModel.from_config, config, seed)
        else:
            model = pretrained(transformers.AutoModel, place, gguf_file=FILE, dtype=torch.float32)
    model.config.use_cache = False  # of earlier tokens, for writing on
    return encoder(model, "text", texts(tokenizer, model.config))


def join(parts, whole):
    """Write the parts of a file one after the other: a wheel has no room for all of it."""
    with whole.open("wb") as file:
        for part in parts:
            with part.open("rb") as some:
                shutil.copyfileobj(some, file)
