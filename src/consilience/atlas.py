"""Many models at once: every pair compared, layer by layer, with the nulls of each pair and of the whole search."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy import stats

from consilience.atlas_table import Atlas
from consilience.check import InputError, check_array, check_choice
from consilience.comparison import check_known, compared
from consilience.contents import digest
from consilience.features import Features
from consilience.files import Representation, matched, origin_in, read
from consilience.metrics import CARDS
from consilience.pieces import Pieces, sha256


def atlas(
    models,
    metrics=("cka", "mutual_knn"),
    *,
    alpha=0.05,
    draws=200,
    groups=None,
    seed=0,
    exchange="within",
    keep=None,
    n_jobs=1,
    progress=True,
    **metric_options,
):
    """Every model against every other, all layers, all metrics, with the nulls of each pair and of the whole search.

    Parameters
    ----------
    models : mapping from name to layers
        Layers are a mapping from layer name to array of shape (n_stimuli, n_units), for example
        :class:`consilience.features.Features`, one such array, or the path of a file that
        :func:`consilience.files.read` knows; a path is read where the work is done. The same stimuli in the same order;
        ids, where files or features have them, must agree.
    metrics : sequence of str
    alpha, draws, groups, seed, exchange, **metric_options
        As in :func:`consilience.compare`.
    keep : str or Path, optional
        A folder for finished pairs. A run that was stopped goes on from there, and a model that is added later costs
        only its own pairs. A pair is known by the numbers that went into it, not by names.
    n_jobs : int
        Pairs at a time, by joblib: its own processes, or the backend that ``joblib.parallel_config`` names, for example
        a Dask cluster.
    progress : bool

    Returns
    -------
    Atlas
        The same table however it was run.

    Raises
    ------
    InputError
        As :func:`consilience.compare`; or with fewer than two models.

    Notes
    -----
    M models make M (M - 1) / 2 comparisons. A metric whose card says that it is not symmetric is computed in both
    orders, each with rows of its own. The random pairings are the same for all pairs of models and for both orders, so
    the largest z of each pairing, over everything, is the null of the whole search (maxT, Westfall & Young 1993): both
    orders are in the search.

    Columns from_a and from_b, where features were given, name the model and the address of their origin, as in
    :func:`consilience.compare`; the origins themselves are in the attribute `origins`. Kept pieces know no origins.
    """
    if not isinstance(models, Mapping) or len(models) < 2:
        raise InputError("models must be a mapping from names to layers, with at least two models.")
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    check_known([CARDS[check_choice(metric, "metric", tuple(CARDS))] for metric in metrics], metric_options)
    digests = {name: fingerprint(name, layers) for name, layers in models.items()}
    ids = next((named.ids for named in map(representation, models, models.values()) if named.ids is not None), None)
    search = {"alpha": alpha, "draws": draws, "groups": groups, "seed": seed, "exchange": exchange}
    said = search | {"groups": None if groups is None else np.asarray(groups).tolist()} | metric_options
    said |= {} if ids is None else {"ids": ids.tolist()}
    meetings = planned(models, metrics)
    keys = {
        (a, b): sha256([version("consilience"), said, how, digests[a], digests[b]])[:24]
        for (a, b), how in meetings.items()
    }
    pieces = Pieces(keep)
    found = {pair: pieces.read(key) for pair, key in keys.items()}
    wanting = [pair for pair in meetings if found[pair] is None]

    columns = TextColumn("comparing models"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not progress) as bar:
        task = bar.add_task("", total=len(meetings), completed=len(meetings) - len(wanting))
        work = (
            delayed(one_pair)(pair, *(models[name] for name in pair), ids, search, metric_options, **meetings[pair])
            for pair in wanting
        )
        for pair, piece in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(work):
            pieces.write(keys[pair], piece)
            found[pair] = piece
            bar.advance(task)
    origins = {name: origin for name, layers in models.items() if (origin := origin_of(layers)) is not None}
    return table_of(found, list(models), origins, metrics, alpha, draws)


def planned(models, metrics):
    """Pairs of models, and how they meet: by all metrics; turned round, by those that are not symmetric."""
    directed = [metric for metric in metrics if not CARDS[metric].symmetric]
    pairs = list(itertools.combinations(models, 2))
    forth = {pair: {"metrics": metrics, "turned": False} for pair in pairs}
    return forth | {(b, a): {"metrics": directed, "turned": True} for a, b in pairs if directed}


def one_pair(pair, layers_a, layers_b, ids, search, options, metrics, turned):
    """The comparison of two models as words and numbers; runs wherever the backend wants it."""
    order = Representation({}, ids, "the first model with ids")
    a, b = (matched(order, representation(*one))[1].layers for one in zip(pair, (layers_a, layers_b), strict=True))
    known = {name for metric in metrics for name in (*CARDS[metric].side_options, *CARDS[metric].meet_options)}
    options = {name: value for name, value in options.items() if name in known}
    table = compared(a, b, metrics, **search, ci=None, metric_options=options, turned=turned)
    rows = table.drop(columns=["p_all", "p_fdr", "seconds"]).to_dict("list")
    return pair, {"rows": rows, "largest": table.largest.tolist()}


def table_of(found, models, origins, metrics, alpha, draws):
    """One table from the pieces, with what only the whole can say: p_atlas and p_fdr."""
    parts, largest = [], np.full(draws, -np.inf)
    for (a, b), piece in found.items():
        part = pd.DataFrame(piece["rows"])
        part.insert(1, "model_a", a)
        part.insert(2, "model_b", b)
        parts.append(part)
        largest = np.maximum(largest, piece["largest"])
    table = pd.concat(parts, ignore_index=True)
    place = {metric: i for i, metric in enumerate(metrics)}
    table = table.sort_values("metric", key=lambda column: column.map(place), kind="stable", ignore_index=True)
    sign = np.array([1 if CARDS[metric].direction == "similarity" else -1 for metric in table.metric])
    exceeded = len(largest) - np.searchsorted(np.sort(largest), sign * table.z - 1e-9)
    table.insert(table.columns.get_loc("p_max") + 1, "p_atlas", (1 + exceeded) / (draws + 1))
    table.insert(table.columns.get_loc("p_atlas") + 1, "p_fdr", stats.false_discovery_control(table.p))
    for side, model in (("from_a", "model_a"), ("from_b", "model_b")):
        if origins:
            table[side] = table[model].map({name: origin.label for name, origin in origins.items()})
    table = Atlas(table)
    table.alpha, table.draws, table.models, table.origins = alpha, draws, models, origins
    return table


def representation(name, layers):
    """Named layers, and ids where there are some, whatever the model was given as."""
    if isinstance(layers, str | Path):
        found = read(layers)
        return Representation({layer or name: X for layer, X in found.layers.items()}, found.ids, found.source)
    ids = layers.ids if isinstance(layers, Features) else None
    layers = dict(layers) if isinstance(layers, Mapping) else {name: layers}
    return Representation(layers, None if ids is None else np.array(ids), name)


def origin_of(layers):
    """Where features come from, be they at hand or in a file; None of anything else."""
    if isinstance(layers, str | Path):
        return origin_in(layers)
    return layers.origin if isinstance(layers, Features) else None


def fingerprint(name, layers):
    """What a model's numbers are known by: a file by its bytes, arrays by their values and the names of their rows."""
    if isinstance(layers, str | Path):
        if not Path(layers).is_file():
            raise InputError(f"models[{name!r}]: {layers} is not there, or is no file.")
        return digest(layers)
    found = representation(name, layers)
    values = {layer: check_array(X, f"models[{name!r}][{layer!r}]") for layer, X in found.layers.items()}
    return sha256(values if found.ids is None else [values, found.ids.tolist()])
