"""Any vision model of the transformers library as an encoder: its hidden states.

Of tokens, those that stand for patches are kept; class and register tokens are not. A vision transformer's
last layer, ``norm``, is what its final layer norm makes of the last block.
"""

from __future__ import annotations

from ..optional import bring
from .encoder import Encoder
from .tokens import Map, Tokens

torch = bring("torch")

UNUSED = "pooler"  # a head that no layer here reads


def encoder(model, pixels):
    """An encoder of a transformers model.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    pixels : callable
        From a list of n RGB pictures to a float tensor of shape (n, 3, height, width).
    """
    model.eval()
    tokens = not hasattr(model.config, "depths")  # else a network of stages, whose states are feature maps
    if tokens:
        layers = ["embeddings", *(f"block{b + 1}" for b in range(model.config.num_hidden_layers)), "norm"]
    else:
        layers = ["embeddings", *(f"stage{s + 1}" for s in range(len(model.config.depths)))]

    @torch.inference_mode()
    def encode(images):
        x = pixels(images)
        out = model(pixel_values=x, output_hidden_states=True)
        if not tokens:
            return [Map(state) for state in out.hidden_states]
        kept = torch.arange(out.last_hidden_state.shape[1]) >= out.last_hidden_state.shape[1] - patches(model, x)
        kept = kept.expand(len(images), -1)
        return [Tokens(state, kept, summary=0) for state in (*out.hidden_states, out.last_hidden_state)]

    return Encoder("image", layers, encode)


def pretrained(family, place, **options):
    """``family.from_pretrained`` without its progress bar, refusing weights that leave a layer random."""
    logging = bring("transformers").utils.logging
    logging.disable_progress_bar()
    try:
        model, told = family.from_pretrained(place, output_loading_info=True, **options)
    finally:
        logging.enable_progress_bar()
    absent = sorted(key for key in {*told["missing_keys"], *told["mismatched_keys"]} if not key.startswith(UNUSED))
    if absent:
        raise ValueError(f"{place or 'The file'} lacks weights of {type(model).__name__}: {', '.join(absent[:3])}, ...")
    return model


def drawn(make, config, seed):
    """A model with the library's own random weights, drawn from `seed`; torch's generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(config)


def patches(model, x):
    """How many tokens stand for patches of the pictures x."""
    size = model.config.patch_size
    return (x.shape[2] // size) * (x.shape[3] // size)
