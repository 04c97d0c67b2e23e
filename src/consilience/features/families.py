"""What is special about families of models: the whole of it, as data.

Everything else about a model of the transformers library is found in the model itself, so a family that is not
here needs no row: pictures whose tokens end in patches, texts that a tokenizer marks, two towers. A row is named as
``config.model_type`` names the model, or its tower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..optional import bring


@dataclass(frozen=True)
class Stack:
    """Blocks in a row, in a model that has several such rows.

    Attributes
    ----------
    blocks : str, or None
        The name of their list, where it is not the only one.
    tokens : {"image", "text", "text+image"}
        What their states hold.
    swapped : bool
        Whether tokens come before stimuli, as (n_tokens, n_stimuli, n_units).
    """

    blocks: str | None
    tokens: str
    swapped: bool = False


@dataclass(frozen=True)
class Family:
    """The exceptions; the defaults are the rule.

    Attributes
    ----------
    config : dict
        What the configuration must say for the model to be read without chance.
    before : callable
        From the model to the number of tokens before those of patches; None where their number tells.
    inputs : dict of str to callable
        What the model takes besides its processor's output, made from (that output, configuration).
    padding : {"longest", "max_length"}
        To what texts or sounds are padded: what the model was trained on.
    summary : {"first", "end"}
        Which token stands for a whole text: a class token, where the tokenizer has one, or the last of all.
    offset : int
        Positions that the configuration counts and no text can take.
    frames : callable, optional
        From (samples, configuration) to the number of states that a sound has. A sound model without this is refused:
        nobody could tell its frames from padding.
    masked : bool
        Whether the model takes a mask of what is padding in a sound.
    alone : callable
        From the configuration to whether padding would change the numbers, so that each stimulus goes alone.
    stacks : dict of str to Stack
        For models that take picture and text together, in the order of their depth.
    """

    config: dict = field(default_factory=dict)
    before: Callable = lambda model: None
    inputs: dict[str, Callable] = field(default_factory=dict)
    padding: str = "longest"
    summary: str = "first"
    offset: int = 0
    frames: Callable | None = None
    masked: bool = True
    alone: Callable = lambda config: False
    stacks: dict[str, Stack] = field(default_factory=dict)


def convolved(samples, config):
    """Frames after a stack of convolutions without padding."""
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def halved(samples, config):
    """Frames of 20 ms, the last of them begun: spectra every 160 samples, then a convolution of stride 2."""
    return -(-samples // 320)


def in_order(inputs, config):
    """Masked autoencoders sort patches by noise; rising noise leaves them where they are."""
    pixels = inputs["pixel_values"]
    patches = (pixels.shape[2] // config.patch_size) * (pixels.shape[3] // config.patch_size)
    return bring("torch").arange(float(patches)).expand(len(pixels), -1)


def not_longer(inputs, config):
    """CLAP's extractor calls one sound of each batch longer at random; none is, for longer ones are refused."""
    return bring("torch").zeros(len(inputs["input_features"]), 1, dtype=bring("torch").bool)


# A group norm over time sees the padding, so these go alone where they have one.
WAV2VEC2 = Family(frames=convolved, alone=lambda config: getattr(config, "feat_extract_norm", None) == "group")
# Positions are counted from after the padding token's.
ROBERTA = Family(offset=2)

FAMILIES = {
    "vit_mae": Family(config={"mask_ratio": 0.0}, inputs={"noise": in_order}),
    "timm_wrapper": Family(before=lambda model: getattr(model.timm_model, "num_prefix_tokens", None)),
    "clip_text_model": Family(summary="end"),
    "siglip_text_model": Family(padding="max_length", summary="end"),
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "camembert": ROBERTA,
    "mpnet": ROBERTA,
    "clap_text_model": ROBERTA,
    "bridgetower_text_model": ROBERTA,
    "wav2vec2": WAV2VEC2,
    "hubert": WAV2VEC2,
    "wavlm": WAV2VEC2,
    "unispeech": WAV2VEC2,
    "unispeech-sat": WAV2VEC2,
    "data2vec-audio": WAV2VEC2,
    "whisper": Family(padding="max_length", frames=halved, masked=False),
    # Sounds are repeated until they fill ten seconds, so every place of the spectrogram is the sound.
    "clap_audio_model": Family(inputs={"is_longer": not_longer}, frames=lambda samples, config: None),
    # Pictures keep their shape, and patches of a padded batch would be drawn by lot.
    "vilt": Family(alone=lambda config: True, stacks={"": Stack("encoder.layer", "text+image")}),
    "bridgetower": Family(
        stacks={
            "text ": Stack("text_model.encoder.layer", "text"),
            "image ": Stack("vision_model.visual.transformer.resblocks", "image", swapped=True),
            "crossed text ": Stack("cross_modal_text_layers", "text"),
            "crossed image ": Stack("cross_modal_image_layers", "image"),
        }
    ),
}

# The towers of a model with several, by what they take: where each lies, its configuration, and what runs it.
TOWERS = {
    "image": (("vision_model", "vision_tower", "visual"), "vision_config", "get_image_features"),
    "text": (("text_model", "language_model"), "text_config", "get_text_features"),
    "sound": (("audio_model", "audio_tower"), "audio_config", "get_audio_features"),
}
# What a model with one takes, by the name of its main input.
TAKES = {"pixel_values": "image", "input_ids": "text", "input_values": "sound", "input_features": "sound"}


def family(config):
    """What is special about the family of a configuration; nothing, if it is not in the table."""
    return FAMILIES.get(config.model_type, Family())


def modalities(config):
    """What a model of this configuration takes: its main modality first; "text+image" is both at once."""
    if family(config).stacks:
        return ["text+image"]
    towers = [modality for modality, (_, name, _) in TOWERS.items() if getattr(config, name, None) is not None]
    if towers:
        return towers
    made = bring("transformers").MODEL_MAPPING[type(config)]
    return [TAKES[(made[0] if isinstance(made, tuple) else made).main_input_name]]
