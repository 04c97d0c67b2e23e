"""From stimuli to what a model takes, by its own processor, and back: which tokens of a state stand for a stimulus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..check import InputError
from ..optional import bring
from .encoder import RATE
from .families import family
from .tokens import Map, Tokens

torch = bring("torch")


@dataclass(frozen=True)
class Side:
    """One modality of a model.

    Attributes
    ----------
    read : callable
        From a list of n items to (inputs, state): the model's inputs by name, and a function that makes Tokens, a
        Map or an array of the values that a layer has for them.
    refuses : callable
        From an item to the reason why the model cannot take it, or None.
    sample : object
        An item with which the model can be tried.
    """

    read: Callable
    refuses: Callable
    sample: object


def images(pixels, config, before=None):
    """Pictures. `pixels` makes inputs of a list of them: at least ``pixel_values``.

    The tokens that stand for patches come last, after class and register tokens: `before` of them, where the model
    says how many, or as many as there are more tokens than patches.
    """

    def read(items):
        inputs = pixels(items)
        height, width = inputs["pixel_values"].shape[2:]

        def state(values):
            if values.ndim == 4:
                return channels_first(values, height == width)
            if values.ndim == 2:
                return values
            first = before if before is not None else beside_patches(values.shape[1], height, width, config)
            return Tokens(values, kept_from(first, values), 0 if first else None)

        return inputs, state

    return Side(read, lambda item: None, bring("PIL.Image").new("RGB", (64, 64), "gray"))


def beside_patches(n_tokens, height, width, config):
    """How many tokens there are besides those of patches; networks that merge patches have none."""
    side = getattr(config, "patch_size", None)
    if not isinstance(side, int):
        raise InputError(
            f"Which tokens stand for patches is not known for models of type {config.model_type!r}; give the model as "
            "a torch.nn.Module, with layers= and prepare=."
        )
    return max(n_tokens - (height // side) * (width // side), 0)


def channels_first(values, square):
    """A map as it is, or turned: the places of a square picture form a square, and channels are the third side."""
    turned = square and values.shape[2] != values.shape[3]
    return Map(values.permute(0, 3, 1, 2) if turned else values)


def texts(tokenizer, config):
    """Texts, padded on the right, where no earlier token can see it."""
    special = family(config)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    longest = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    longest = min(longest - special.offset, tokenizer.model_max_length)

    def tokenized(items, **options):
        return tokenizer(items, return_special_tokens_mask=True, return_attention_mask=True, **options)

    def read(items):
        options = {"padding": special.padding, "padding_side": "right", "return_tensors": "pt"}
        if special.padding == "max_length":
            options["max_length"] = longest
        inputs = tokenized(items, **options)
        present = inputs["attention_mask"].bool()
        kept = present & ~inputs.pop("special_tokens_mask").bool()
        summary = 0 if tokenizer.cls_token_id is not None else None
        if special.summary == "end":
            summary = present.sum(1) - 1 if special.padding == "longest" else present.shape[1] - 1
        inputs = {name: inputs[name] for name in tokenizer.model_input_names if name in inputs}
        return inputs, lambda values: Tokens(values, kept.to(values.device), on(values, summary))

    def refuses(item):
        marks = tokenized(item)["special_tokens_mask"]
        if len(marks) > longest:
            return f"it has {len(marks)} tokens, and the model reads {longest}"
        return None if 0 in marks else "the model's tokenizer makes nothing of it"

    return Side(read, refuses, "A thing.")


def sounds(extractor, config):
    """Sounds, at the rate that the model knows; frames of padding are not kept."""
    special = family(config)
    if special.frames is None:
        raise InputError(
            f"Which frames of a sound are padding is not known for models of type {config.model_type!r}; give the "
            "model as a torch.nn.Module, with layers= and prepare=."
        )
    rate = extractor.sampling_rate
    longest = getattr(extractor, "n_samples", None) or getattr(extractor, "nb_max_samples", None)
    padding = "max_length" if special.padding == "max_length" else True

    def read(items):
        waves = [resampled(item, rate) for item in items]
        frames = [special.frames(len(wave), config) for wave in waves]
        inputs = extractor(
            waves, sampling_rate=rate, padding=padding, return_attention_mask=special.masked, return_tensors="pt"
        )

        def state(values):
            if values.ndim != 3:
                return Map(values) if values.ndim == 4 else values
            n_tokens = values.shape[1]
            ends = torch.tensor([n_tokens if n is None else n for n in frames], device=values.device)
            return Tokens(values, torch.arange(n_tokens, device=values.device) < ends[:, None])

        return dict(inputs), state

    def refuses(item):
        n_samples = len(resampled(item, rate))
        if longest and n_samples > longest:
            return f"it lasts {n_samples / rate:.1f} s, and the model hears {longest / rate:.0f} s"
        frames = special.frames(n_samples, config)
        return None if frames is None or frames > 0 else f"it lasts {1000 * n_samples / rate:.0f} ms, less than a frame"

    noise = torch.randn(RATE, generator=torch.Generator().manual_seed(0)).numpy()
    return Side(read, refuses, noise)


def text_with_image(text, image):
    """Pairs (text, picture), for models that take both at once: their states are text, then picture, or one of them."""

    def read(items):
        words, pictures = zip(*items, strict=True)
        text_inputs, text_state = text.read(list(words))
        image_inputs, image_state = image.read(list(pictures))
        n_tokens = text_inputs["input_ids"].shape[1]

        def both(values):
            parts = [text_state(values[:, :n_tokens]), image_state(values[:, n_tokens:])]
            return Tokens(values, torch.cat([part.kept for part in parts], 1), parts[0].summary)

        return {**text_inputs, **image_inputs}, {"text": text_state, "image": image_state, "text+image": both}

    def refuses(item):
        return text.refuses(item[0]) or image.refuses(item[1])

    return Side(read, refuses, (text.sample, image.sample))


def kept_from(first, values):
    n_stimuli, n_tokens, _ = values.shape
    return (torch.arange(n_tokens, device=values.device) >= first).expand(n_stimuli, -1)


def on(values, summary):
    return summary.to(values.device) if torch.is_tensor(summary) else summary


def resampled(sound, rate):
    return sound if rate == RATE else bring("scipy.signal").resample_poly(sound, rate // 1000, RATE // 1000)
