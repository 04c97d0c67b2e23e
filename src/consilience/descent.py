"""A few parameters taught by gradients, with nothing left to chance: Adam, a fixed number of steps, rows by seed."""

from __future__ import annotations

from consilience.check import InputError
from consilience.optional import bring


def descend(loss, parameters, n, steps, batch, rate, seed, tell=None):
    """Lower a loss, in place.

    Parameters
    ----------
    loss : callable
        From row numbers, an int64 tensor of at most `batch` of them, to a tensor with one number.
    parameters : list of tensor
        What is taught. No other gradient is taken, so networks in between stay as they are, their `.grad` included.
    n : int
        Rows there are. They are gone through in random orders; all are taken at once if they are no more than `batch`.
    steps : int
    batch : int
    rate : float
        Of the first step, in units of the parameters; it falls to zero by half a cosine.
    seed : int
        Of the orders. No other random number is used, and torch's own generator is left alone.
    tell : callable, optional
        Called with the share done, 0 to 1.

    Raises
    ------
    InputError
        If the loss is no longer a number, or gives no gradient.

    Notes
    -----
    Source: Kingma & Ba 2015 (Adam, with its usual constants); Loshchilov & Hutter 2017 (the cosine).
    """
    torch = bring("torch")
    for parameter in parameters:
        parameter.requires_grad_(True)
    adam = torch.optim.Adam(parameters, lr=rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    drawn = batches(n, batch, torch.Generator().manual_seed(seed))
    for step in range(steps):
        with torch.enable_grad():
            value = loss(next(drawn))
            if not value.requires_grad:
                raise InputError("No gradient comes through, so nothing can be learned; a part must detach its output.")
            gradients = torch.autograd.grad(value, parameters)
        if not torch.isfinite(value):
            raise InputError(f"The loss is {value.item()} at step {step}; choose a smaller rate than {rate:g}.")
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        adam.step()
        falling.step()
        if tell:
            tell((step + 1) / steps)
    for parameter in parameters:
        parameter.requires_grad_(False)
        parameter.grad = None


def batches(n, batch, generator):
    """Row numbers without end, each once before any comes again; what is left of an order is not a batch."""
    torch = bring("torch")
    while True:
        order = torch.arange(n) if n <= batch else torch.randperm(n, generator=generator)
        for start in range(0, max(n - batch, 0) + 1, batch):
            yield order[start : start + batch]
