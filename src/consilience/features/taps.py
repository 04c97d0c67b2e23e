"""What passes through the modules of a torch network while it runs, caught by hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ..check import InputError


@dataclass(frozen=True)
class Tap:
    """A place in a network.

    Attributes
    ----------
    module : str
        Its name, as ``network.named_modules()`` has it.
    end : {"output", "input"}
    take : callable, optional
        From the tensor found there to the part that is wanted: one head of many.
    """

    module: str
    end: str = "output"
    take: Callable | None = None


@contextmanager
def catching(network, taps):
    """A dict that fills with {layer: tensor} while `network` runs in the block.

    Parameters
    ----------
    network : torch.nn.Module
    taps : dict of str to Tap

    Raises
    ------
    InputError
        If the network has no such module, or one runs more than once in the block.
    """
    modules, caught, handles = dict(network.named_modules()), {}, []
    try:
        for layer, tap in taps.items():
            if tap.module not in modules:
                near = [name for name in modules if name.rpartition(".")[0] == tap.module.rpartition(".")[0]]
                raise InputError(
                    f"{type(network).__name__} has no module {tap.module!r}; it has "
                    f"{', '.join(filter(None, near or modules))}."
                )
            handles.append(hooked(modules[tap.module], layer, tap, caught))
        yield caught
    finally:
        for handle in handles:
            handle.remove()


def hooked(module, layer, tap, caught):
    def keep(value):
        if layer in caught:
            raise InputError(f"{tap.module} runs more than once, so {layer} has no single value; choose another layer.")
        tensor = first_tensor(value)
        caught[layer] = tap.take(tensor) if tap.take else tensor

    if tap.end == "input":
        return module.register_forward_pre_hook(lambda _, given, named: keep((*given, named)), with_kwargs=True)
    return module.register_forward_hook(lambda _, given, output: keep(output))


def first_tensor(value):
    """The tensor itself, or the first of a tuple or dict: modules that give more give their state first."""
    return next(tensors(value))


def tensors(value):
    if hasattr(value, "detach"):
        yield value
    elif isinstance(value, Mapping | tuple | list):
        for inside in value.values() if isinstance(value, Mapping) else value:
            yield from tensors(inside)
