"""How a command ends that cannot go on: one line on the error stream, and a status."""

from __future__ import annotations

import typer


def or_stop(command, compute):
    """The result, or one line of words and a status."""
    from consilience import InputError
    from consilience.kit import KitError

    try:
        return compute()
    except (InputError, KitError, ImportError, OSError, FloatingPointError) as error:
        stop(f"consilience {command}: {error}")


def stop(words):
    typer.echo(words, err=True)
    raise typer.Exit(2)
