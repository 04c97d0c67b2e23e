"""The command line: ``consilience doctor | kit | metrics | encode | cache | align | compare | atlas``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure whether models, and brains, come to see the world alike.", no_args_is_help=True)
cached = typer.Typer(help="Features on disk: list, verify or prune them.", invoke_without_command=True)
app.add_typer(cached, name="cache")


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


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")]


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
    yes: Yes = False,
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


File = Annotated[
    Path,
    typer.Argument(help="Stimuli by units, or several layers: .npy, .npz, .safetensors, .parquet, .csv or .pt."),
]
Groups = Annotated[Path | None, typer.Option(help="A file of one label a stimulus: only those alike are exchanged.")]
Neighbours = Annotated[int | None, typer.Option(help="Neighbours, for metrics that have them; 10 if not given.")]


@app.command()
def align(
    x: File,
    y: File,
    metric: Annotated[str, typer.Option(help="See `consilience metrics`.")] = "cka",
    k: Neighbours = None,
    ci: Annotated[float | None, typer.Option(help="Level of an interval of the score, for example 0.95.")] = None,
    groups: Groups = None,
):
    """Score two saved arrays, with the null of that score."""
    import consilience as cs

    def score():
        a, b = matched_files(x, y)
        for one in (a, b):
            if len(one.layers) > 1:
                raise cs.InputError(f"{one.source} holds {len(one.layers)} arrays; use `consilience compare`.")
        (X,), (Y,) = a.layers.values(), b.layers.values()
        options = {} if k is None else {"k": k}
        return cs.align(X, Y, metric=metric, ci=ci, groups=labels(groups), **options)

    typer.echo(str(or_stop("align", score)))


@app.command()
def compare(
    a: File,
    b: File,
    metric: Annotated[
        list[str] | None, typer.Option(help="See `consilience metrics`; may be given again and again.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="Further metrics, after --metric.")] = None,
    k: Neighbours = None,
    draws: Annotated[int, typer.Option(help="Random pairings, for the null of the best pair.")] = 200,
    alpha: Annotated[float, typer.Option(help="Level of the tests.")] = 0.05,
    groups: Groups = None,
    seed: Annotated[int, typer.Option(help="Of the pairings.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the table as JSON records.")] = False,
):
    """Score every layer in one file against every layer in another, by several metrics, with all nulls."""
    import consilience as cs

    def table():
        first, second = matched_files(a, b)
        metrics = [*(metric or []), *(more or [])] or ["cka", "mutual_knn"]
        options = {} if k is None else {"k": k}
        chosen = {"alpha": alpha, "draws": draws, "groups": labels(groups), "seed": seed}
        return cs.compare(first.named(), second.named(), metrics=metrics, **chosen, **options)

    found = or_stop("compare", table)
    typer.echo(found.to_json(orient="records") if json else repr(found))


@app.command()
def atlas(
    plan: Annotated[
        Path, typer.Argument(help="A YAML file: models (names and files), metrics and what cs.atlas takes.")
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the table there, as .csv or .parquet.")] = None,
    jobs: Annotated[int, typer.Option(help="Pairs of models at a time.")] = 1,
):
    """Compare many models with one another; an interrupted run goes on where it was."""
    import consilience as cs

    def table():
        models, settings = planned(plan)
        return cs.atlas(models, n_jobs=jobs, **settings)

    found = or_stop("atlas", table)
    if out is not None:
        fresh = out.with_name(f".{out.name}")
        found.to_parquet(fresh) if out.suffix == ".parquet" else found.to_csv(fresh, index=False)
        fresh.replace(out)
    typer.echo(found.sentence())


def planned(path):
    """Models and settings of an atlas, as its file has them; paths are relative to the file."""
    import yaml

    import consilience as cs

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        models = {str(name): path.parent / file for name, file in said.pop("models").items()}
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise cs.InputError(
            f"{path} must be YAML that begins with models: and a file for each name. {error}"
        ) from error
    if "keep" in said:
        said["keep"] = path.parent / said["keep"]
    return models, said


def matched_files(x, y):
    """Two files' representations, rows matched by id where both have ids."""
    from consilience.files import matched, read

    return matched(read(x), read(y))


def labels(path):
    """One label a stimulus, from a file of lines or of one array."""
    import numpy as np

    from consilience.files import READERS, read

    if path is None:
        return None
    if path.suffix in READERS and path.suffix != ".csv":
        return next(iter(read(path).layers.values())).ravel()
    return np.array(path.read_text().split())


def or_stop(command, compute):
    """The result, or one line of words and a status."""
    from consilience import InputError

    try:
        return compute()
    except (InputError, OSError) as error:
        stop(f"consilience {command}: {error}")


def stop(words):
    typer.echo(words, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    app()
