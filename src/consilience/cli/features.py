"""Features: made of stimuli by a model, and kept in a cache."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from .words import or_stop

app = typer.Typer()
cached = typer.Typer(help="Features on disk: list, verify or prune them.", invoke_without_command=True)
app.add_typer(cached, name="cache")


@app.command()
def encode(
    model: Annotated[str, typer.Argument(help="A row of data/models.yaml, or the folder of a model.")],
    stimuli: Annotated[str, typer.Argument(help="A folder of pictures, texts or sounds; or a row of datasets.yaml.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write, ending in .safetensors.")],
    layers: Annotated[list[str] | None, typer.Option("--layer", help="May be given again; all layers if not.")] = None,
    pool: Annotated[str | None, typer.Option(help="How tokens become one row: mean, cls, last, max or none.")] = None,
    language: Annotated[str | None, typer.Option(help="Of texts and sounds.")] = None,
    weights: Annotated[str, typer.Option(help="trained, or random for the untrained twin.")] = "trained",
    seed: Annotated[int, typer.Option(help="Of random weights.")] = 0,
    bad: Annotated[str, typer.Option(help="Broken, empty or silent stimuli: refuse or skip.")] = "refuse",
):
    """Write what a model makes of stimuli, layer by layer, with their ids and their origin."""
    import consilience as cs

    def written():
        if output.suffix != ".safetensors":
            raise cs.InputError(f"{output} must end in .safetensors.")
        options = {"layers": layers or None, "pool": pool, "language": language}
        found = cs.encode(model, named(stimuli, language), weights=weights, seed=seed, bad=bad, **options)
        found.save(output)
        return found

    found = or_stop("encode", written)
    typer.echo(f"{output}: {len(found.ids)} stimuli, {len(found)} layers.\n{found.origin}")


def named(place, language):
    """The stimuli of a data set, or those in a folder."""
    import consilience as cs

    if not Path(place).is_dir():
        return cs.stimuli.load(place)
    return cs.stimuli.from_folder(place, **({"language": language} if language else {}))


@cached.callback()
def cache(context: typer.Context):
    """List the features on disk, the least recently used first. Headers and lengths are checked."""
    from consilience.features import cache

    if context.invoked_subcommand is None:
        cache.show(cache.listed(), "The cache of features")


@cached.command()
def verify():
    """Read every byte of every file, and say which are whole."""
    from rich.progress import track

    from consilience.features import cache

    items = [cache.verified(one) for one in track(cache.listed(), "verifying", transient=True)]
    cache.show(items, "The cache of features, every byte checked")
    if any(one.broken for one in items):
        raise typer.Exit(1)


@cached.command()
def prune(
    size: Annotated[
        str | None, typer.Argument(help="What may stay, such as 500MB or 2GB; all that is whole if none.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
):
    """Show what would go for the rest to fit a size, and remove it: broken files, then the least recently used."""
    from consilience.features import cache

    items = cache.surplus(cache.listed(), or_stop("cache prune", lambda: megabytes(size)))
    if not items:
        typer.echo("Nothing needs to go.")
        return
    cache.show(items, "To be removed")
    if yes or typer.confirm("Remove these?"):
        gone = cache.remove(items)
        typer.echo(f"{len(gone)} removed; {sum(one.megabytes for one in gone):,.1f} MB are free again.")


def megabytes(size):
    """A size in words, such as "2GB", in megabytes; without words, no limit."""
    from consilience import InputError

    if size is None:
        return float("inf")
    found = re.fullmatch(r"([0-9.]+) *([kMGT]?)B?", size.strip(), re.IGNORECASE)
    try:
        return float(found[1]) * {"K": 1e-3, "M": 1, "G": 1e3, "T": 1e6}[found[2].upper()]
    except (TypeError, ValueError, KeyError):
        raise InputError(f"{size!r} is no size; write it with its unit, such as 500MB or 2GB.") from None
