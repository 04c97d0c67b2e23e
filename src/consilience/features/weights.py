"""The weights of a transformers model: trained, out of safetensors and nothing else, or drawn at random."""

from __future__ import annotations

from pathlib import Path

from ..core.memory import need
from ..kit import KitError
from ..optional import bring

# What no layer here reads: heads for a pooled output, and what stands for masked places in training.
UNUSED = ("pooler", "masked_spec_embed", "mask_token", "logit_scale", "logit_bias")


def pretrained(family, place, **options):
    """``family.from_pretrained`` without its progress bar, refusing weights that leave a layer random.

    Raises
    ------
    consilience.kit.KitError
        If there are no safetensors, or they lack a layer of the model.
    """
    logging = bring("transformers").utils.logging
    logging.disable_progress_bar()
    try:
        model, told = family.from_pretrained(place, output_loading_info=True, **options)
    finally:
        logging.enable_progress_bar()
    absent = {key if isinstance(key, str) else key[0] for key in (*told["missing_keys"], *told["mismatched_keys"])}
    absent = sorted(key for key in absent if not set(UNUSED) & set(key.split(".")))
    if absent:
        some = ", ".join(absent[:3])
        raise KitError(f"{place or 'The file'} lacks weights of {type(model).__name__}: {some}, ...")
    return model


def drawn(make, config, seed):
    """A model with the library's own random weights, drawn from `seed`; torch's generator is left alone."""
    torch = bring("torch")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(config)


def safetensors(folder):
    """The weight files of a folder that is laid out as on the hub: one, or the parts that an index names.

    Raises
    ------
    consilience.kit.KitError
        If there are none: pickled weights are never read.
    """
    files = sorted(Path(folder).glob("model*.safetensors"))
    if not files:
        raise KitError(
            f"{folder} has no model.safetensors, and pickled weights, which can run code, are never read; load the "
            "model where you trust it, and save it with save_pretrained."
        )
    return files


def need_room(folder, saved_as, dtype, device):
    """Refuse weights that will not fit, before they are read."""
    size = sum(file.stat().st_size for file in safetensors(folder))
    torch = bring("torch")
    size = size * getattr(torch, dtype).itemsize // getattr(torch, saved_as).itemsize
    free = torch.cuda.mem_get_info(device)[0] if torch.device(device).type == "cuda" else None
    need(size, f"The weights of {Path(folder).name}, as {dtype},", free)
