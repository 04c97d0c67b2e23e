"""What is here: the road that computes, models and data, metrics."""

from __future__ import annotations

from typing import Annotated

import typer

from .words import stop

app = typer.Typer()


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
