"""Scores of saved arrays: two of them, two models' layers, many models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .words import or_stop

app = typer.Typer()
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
