"""The command line: ``consilience doctor | kit | metrics | align``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure whether models, and brains, come to see the world alike.", no_args_is_help=True)


@app.command()
def doctor():
    """Say which path computes (compiled, CUDA or NumPy), and why."""
    from consilience import show_versions

    show_versions()


@app.command()
def kit(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models and data sets; all that the book needs if none.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Fetch without asking.")] = False,
):
    """Show and fetch real models and real data: sizes and licences first, then verified files."""
    from consilience import kit as offline_kit

    try:
        missing = offline_kit.show_plan(names or None)
        if not missing or yes or typer.confirm("Fetch what is missing?"):
            offline_kit.fetch(names or None)  # what is here is verified again
    except offline_kit.KitError as error:
        stop(f"consilience kit: {error}")


@app.command()
def metrics():
    """List every metric with its range, its null and when it misleads."""
    from rich.console import Console
    from rich.table import Table

    from consilience import catalogue

    table = Table("name", "what", "range", "by chance", "misleads when", show_lines=True)
    for card in catalogue().values():
        table.add_row(card.name, card.title, card.value_range, card.null, card.misleads)
    Console().print(table)


@app.command()
def align(
    x: Annotated[Path, typer.Argument(help="A .npy file of shape (n_stimuli, n_units).")],
    y: Annotated[Path, typer.Argument(help="Another, with the same stimuli in the same order.")],
    metric: Annotated[str, typer.Option(help="cka or mutual_knn.")] = "cka",
    k: Annotated[int | None, typer.Option(help="Neighbours, for mutual_knn; 10 if not given.")] = None,
    ci: Annotated[float | None, typer.Option(help="Level of an interval of the score, for example 0.95.")] = None,
):
    """Score two saved arrays, with the null of that score."""
    import numpy as np

    import consilience as cs

    arrays = []
    for path in (x, y):
        try:
            arrays.append(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError):
            stop(f"consilience align: {path} is not there, or is no .npy file of numbers.")
    try:
        typer.echo(str(cs.align(*arrays, metric=metric, ci=ci, **({} if k is None else {"k": k}))))
    except cs.InputError as error:
        stop(f"consilience align: {error}")


def stop(words):
    typer.echo(words, err=True)
    raise typer.Exit(2)
