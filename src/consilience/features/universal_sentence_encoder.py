"""Google's multilingual Universal Sentence Encoder, version 3 (Yang et al. 2020), from a file of NumPy arrays.

A convolutional network: embedded word pieces; beside them what two layers of convolutions of width 2, 3 and 5
make of them; the sum over the sentence, divided by the root of its length; and two residual blocks.
"""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .encoder import Encoder
from .tokens import Tokens

torch = bring("torch")
functional = torch.nn.functional

WIDTHS = {2: 0, 3: 1, 5: 2}  # of the convolutions, and how many pieces to the left they see
START, END = 1, 2
LAYERS = ["embeddings", "ngrams", "sentence", "block1", "block2"]


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with two layers of tokens, a word piece each, and three of the sentence; the last has norm 1."""
    arrays, pieces = (folder / file for file in row["files"])
    with np.load(arrays, allow_pickle=False) as file:
        values = {name: torch.from_numpy(file[name]) for name in file}
    if weights == "random":
        values = redrawn(values, seed)
    tokenizer = unigram(pieces)
    table = torch.stack([values[f"q{part}"] for part in range(1, len(values["scale"]) + 1)], dim=1).flatten(0, 1)

    @torch.inference_mode()
    def encode(texts):
        ids = [[START, *found.ids, END] for found in tokenizer.encode_batch(texts)]
        lengths = torch.tensor([len(sentence) for sentence in ids])
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(sentence) for sentence in ids], batch_first=True)
        part = ids % len(values["scale"])  # of the table, each quantised by itself
        embedded = table[ids] * values["scale"][part][..., None] + values["lo"][part][..., None]
        place = torch.arange(ids.shape[1])
        kept = (place > 0) & (place < lengths[:, None] - 1)
        ngrams, *sentences = forward(embedded, lengths, values)
        return [Tokens(embedded, kept), Tokens(ngrams, kept), *sentences]

    return Encoder("text", LAYERS, encode)


def forward(embedded, lengths, w):
    """What follows the embeddings: states of the layers after the first.

    Parameters
    ----------
    embedded : float tensor of shape (n, n_tokens, 512)
        With the pieces that open and close a sentence, then padding.
    lengths : integer tensor of shape (n,)
    w : dict of str to tensor

    Returns
    -------
    list of float tensors
        Of shapes (n, n_tokens, 1280), (n, 512), (n, 320) and (n, 512).
    """
    inside = (torch.arange(embedded.shape[1]) < lengths[:, None])[..., None]
    matrix, bias, gain, shift = (
        torch.cat([w[f"{name}{width}"] for width in WIDTHS], dim=-1) for name in ("proj", "proj_b", "ln_g", "ln_b")
    )
    entrances = normalised(embedded @ matrix + bias, gain, shift, w["eps"]).chunk(len(WIDTHS), dim=2)
    branches = [embedded]
    for x, (width, left) in zip(entrances, WIDTHS.items(), strict=True):
        for number in (1, 2):
            x = x + convolved(x * inside, w[f"w{number}_{width}"], w[f"b{number}_{width}"], width, left)
        branches.append(x)
    ngrams = normalised(torch.cat(branches, dim=2), w["ln_g"], w["ln_b"], w["eps"])
    total = (ngrams * inside).sum(1) @ w["cnn_W"] + lengths[:, None] * w["cnn_b"]
    sentence = total / lengths[:, None].sqrt()
    block1 = (sentence @ w["p1"] + (sentence @ w["d0"]).relu() @ w["d1"]).relu()
    block2 = (block1 @ w["p3"] + (block1 @ w["d2"]).relu() @ w["d3"]).tanh()
    return [ngrams, sentence, block1, functional.normalize(block2, dim=1)]


def convolved(x, kernel, bias, width, left):
    """ReLU of a convolution over tokens; nothing lies outside a sentence. `kernel`: (width * n_units, n_units)."""
    units = x.shape[2]
    padded = functional.pad(x.transpose(1, 2), (left, width - 1 - left))
    return functional.conv1d(padded, kernel.view(width, units, -1).permute(2, 1, 0), bias).relu().transpose(1, 2)


def normalised(x, gain, shift, eps):
    return functional.layer_norm(x, x.shape[-1:], gain, shift, float(eps))


def unigram(path):
    """The tokenizer of a SentencePiece file of the unigram kind, run by the tokenizers library."""
    tokenizers = bring("tokenizers")
    messages = bring("transformers.convert_slow_tokenizer").import_protobuf()
    model = messages.ModelProto.FromString(path.read_bytes())
    usual = model.SentencePiece.NORMAL
    pieces = [(p.piece if p.type == usual else f"\0{p.piece}", p.score) for p in model.pieces]  # "<s>" is five letters
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=model.trainer_spec.unk_id))
    spaces = tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")
    charsmap = tokenizers.normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)
    made.normalizer = tokenizers.normalizers.Sequence([charsmap, tokenizers.normalizers.Strip(), spaces])
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    return made


def redrawn(values, seed):
    """Normal matrices that keep the variance, neutral norms, no biases; embeddings uniform over their range."""
    generator = torch.Generator().manual_seed(seed)
    drawn = dict(values)
    for name, value in values.items():
        if value.dtype == torch.uint8:
            highest = int(value.max()) + 1
            drawn[name] = torch.randint(highest, value.shape, dtype=torch.uint8, generator=generator)
        elif value.ndim == 2:
            drawn[name] = torch.randn(value.shape, generator=generator) * (2 / len(value)) ** 0.5
        elif value.ndim == 1 and name not in ("scale", "lo"):
            drawn[name] = torch.full_like(value, float(name.startswith("ln_g")))
    return drawn
