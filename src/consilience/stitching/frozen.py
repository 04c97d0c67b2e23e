"""Networks that are used as they are: run in evaluation mode, part by part, and left as they were found."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy

from ..check import InputError
from ..core.memory import need
from ..optional import bring

PART = 256  # inputs that run through a network at once


@contextmanager
def still(*networks):
    """Every module of the networks in evaluation mode within the block, and in its own mode again after it."""
    modes = [(module, module.training) for network in networks for module in modules(network)]
    try:
        for module, _ in modes:
            module.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


def answers(network, inputs, name):
    """What a network gives for all inputs, without gradients: a tensor of shape (n, ...), on its device.

    Parameters
    ----------
    network : torch.nn.Module or callable
    inputs : ndarray or tensor of shape (n, ...)
        Floating-point ones take the type of the network's weights.
    name : str
        What messages call the network.

    Raises
    ------
    InputError
        If it gives no tensor with a row for each input, fails on them, gives NaN or infinity, or more than the memory
        holds.
    """
    torch = bring("torch")
    device, dtype = home(network)
    found = []
    with torch.no_grad():
        for start in range(0, len(inputs), PART):
            part = inputs[start : start + PART]
            part = part if hasattr(part, "detach") else torch.tensor(part)
            part = part.to(device, dtype if part.is_floating_point() else None)
            try:
                given = network(part)
            except (RuntimeError, ValueError, IndexError) as error:
                raise InputError(f"{name} does not take inputs of shape {tuple(part.shape)}: {error}") from error
            if not hasattr(given, "detach") or given.ndim == 0 or len(given) != len(part):
                shape = tuple(given.shape) if hasattr(given, "shape") else type(given).__name__
                raise InputError(f"{name} gives {shape} for {len(part)} inputs; it must give a tensor, one row each.")
            if not found and given.device.type == "cpu":
                need(given.nbytes * len(inputs) // len(part), f"What {name} gives for {len(inputs):,} inputs")
            found.append(given)
    found = torch.cat(found)
    if not torch.isfinite(found).all():
        row = int(torch.nonzero(~torch.isfinite(found).flatten(1).all(1))[0])
        raise InputError(f"{name} gives NaN or infinity, first for input {row}. Remove it, or mend the network.")
    return found


def untrained_copy(network, seed):
    """A copy with the weights that it would have begun with: each module initialised anew, by its own rule.

    Raises
    ------
    InputError
        If a module holds parameters and has no such rule.
    """
    torch = bring("torch")
    copy = deepcopy(network).cpu()  # so that a seed gives the same weights on every device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, module in copy.named_modules():
            begin = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
            if begin is not None:
                begin()
            elif next(module.parameters(recurse=False), None) is not None:
                raise InputError(
                    f"{name or type(module).__name__} has parameters, but no reset_parameters() to begin anew with. "
                    "Give untrained= a network with random weights, or untrained=False to go without."
                )
    return copy.to(home(network)[0])


def modules(network):
    """All modules of a network; none, of a function."""
    return list(network.modules()) if hasattr(network, "modules") else []


def has_weights(network):
    return any(True for module in modules(network) for _ in module.parameters())


def home(network):
    """The device and the floating-point type of a network's weights; of a function the processor and float32."""
    torch = bring("torch")
    for module in modules(network):
        for weight in module.parameters(recurse=False):
            if weight.is_floating_point():
                return weight.device, weight.dtype
    return torch.device("cpu"), torch.float32
