"""Where and how finely to compute: chosen for the machine, unless it is said."""

from __future__ import annotations

from ..check import InputError, check_choice
from ..optional import bring

DTYPES = ("float32", "bfloat16", "float16")


def chosen_device(wanted=None):
    """The name of a torch device: `wanted`, or the best that is here.

    Raises
    ------
    InputError
        If this machine, or this build of torch, has no such device.
    """
    torch = bring("torch")
    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    if torch.cuda.is_available():
        here.insert(0, "cuda")
    if wanted is None:
        return here[0]
    if str(wanted).partition(":")[0] not in here:
        raise InputError(f"device is {wanted!r}; torch finds {', '.join(here)} on this machine.")
    return str(wanted)


def chosen_dtype(wanted, device, saved_as):
    """The name of a torch dtype: `wanted`; or on a GPU what the weights were saved as; or float32."""
    if wanted is None:
        return saved_as if device.startswith("cuda") and saved_as in DTYPES else "float32"
    return check_choice(str(wanted).removeprefix("torch."), "dtype", DTYPES)
