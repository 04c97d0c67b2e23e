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

from consilience.check import InputError, check_array, check_choice
from consilience.comparison import check_known, compare
from consilience.contents import digest
from consilience.files import Representation, matched, read
from consilience.metrics import CARDS
from consilience.pieces import Pieces, sha256


class Atlas(pd.DataFrame):
    """A tidy table of :func:`atlas`, one row for each metric, pair of models and pair of layers.

    Its columns are those of :class:`consilience.Comparison` with model_a and model_b before the layers, without the
    seconds, and with p_atlas: against the largest z over all pairs of models, pairs of layers and metrics.
    """

    _metadata = ("alpha", "draws", "models")

    @property
    def _constructor(self):
        return Atlas

    def best(self):
        """The pair of layers that stands out most for each metric and pair of models: one row each."""
        sign = np.array([1 if CARDS[metric].direction == "similarity" else -1 for metric in self.metric])
        z = pd.Series(sign * self.z.to_numpy(), index=self.index)
        return self.loc[z.groupby([self.metric, self.model_a, self.model_b], sort=False).idxmax()].reset_index(
            drop=True
        )

    def matrix(self, metric=None, column="calibrated"):
        """Models against models at their best layers, a DataFrame with NaN where no pair was compared.

        Parameters
        ----------
        metric : str, optional
            One that the atlas holds; not needed if it holds one.
        column : str
        """
        part = self.of(metric).best()
        wide = pd.DataFrame(np.nan, index=list(self.models), columns=list(self.models))
        for row, value in zip(part.itertuples(), part[column], strict=True):
            wide.loc[row.model_a, row.model_b] = value
        return wide.where(wide.notna(), wide.T)

    def of(self, metric=None):
        """The rows of one metric."""
        held = list(self.metric.drop_duplicates())
        if metric is None and len(held) > 1:
            raise InputError(f"The atlas holds {', '.join(held)}; name one metric.")
        part = self[self.metric == (held[0] if metric is None else check_choice(metric, "metric", held))]
        part.models = self.models
        return part

    def agreement(self, column="calibrated"):
        """How alike the metrics rank the pairs of models: Spearman's correlations, metrics against metrics.

        A distance is counted the other way round, so that 1 always means the same order.
        """
        best = self.best()
        wide = best.pivot(index=["model_a", "model_b"], columns="metric", values=column)[list(best.metric.unique())]
        far = [metric for metric in wide if column != "calibrated" and CARDS[metric].direction == "distance"]
        wide[far] = -wide[far]
        return wide.corr(method="spearman")

    def __repr__(self):
        whole = {"metric", "model_a", "model_b", "p_atlas"} <= set(self.columns) and hasattr(self, "models")
        return f"{self.sentence()}\n{super().__repr__()}" if whole else super().__repr__()

    def sentence(self):
        """What stands out, in words."""
        said = []
        for metric, part in self.best().groupby("metric", sort=False):
            above = part[part.p_atlas <= self.alpha]
            said.append(
                f"{metric}: {len(above)} of {len(part)} pairs of models are more alike than the whole search would "
                f"find by chance (alpha = {self.alpha:g})."
            )
            if len(above):
                most = above.loc[above.z.abs().idxmax()]
                said[-1] += (
                    f" What stands out most: {most.model_a} ({most.layer_a}) and {most.model_b} ({most.layer_b}), "
                    f"{most.score:.3f}, by chance {most.null_mean:.3f} ± {most.null_sd:.3f}."
                )
        return "\n".join(said)

    def dendrogram(self, metric=None, ax=None):
        """Draw models as a tree: those that join late are least alike (needs seaborn)."""
        from consilience.plots import draw_dendrogram

        return draw_dendrogram(self.matrix(metric), ax)

    def embedding(self, metric=None, kinds=None, ax=None):
        """Draw models as points, the nearer the more alike (needs seaborn).

        Parameters
        ----------
        metric : str, optional
        kinds : mapping from model to str, optional
            What is told apart by colour and mark.
        """
        from consilience.plots import draw_embedding

        return draw_embedding(self.matrix(metric), kinds, ax)

    def against(self, values, metric=None, to=None, ax=None):
        """Draw a property of the models against how alike each is to the others (needs seaborn).

        Parameters
        ----------
        values : mapping from model to float
            For example the accuracy of each.
        metric : str, optional
        to : sequence of str, optional
            The models to which likeness is averaged; all others by default.
        """
        from consilience.plots import draw_against

        wide = self.matrix(metric)
        named = [model for model in values if model in wide.index]
        if len(named) < 3:
            raise InputError(f"values names {len(named)} of the models; three are needed: {', '.join(wide.index)}.")
        likeness = wide.loc[named, list(to) if to is not None else list(wide.columns)].mean(axis=1)
        return draw_against(pd.Series(dict(values))[named], likeness, ax)


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
        Layers are a mapping from layer name to array of shape (n_stimuli, n_units), one such array, or the path of a
        file that :func:`consilience.files.read` knows; a path is read where the work is done. The same stimuli in the
        same order; ids, where files have them, must agree.
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
    M models make M (M - 1) / 2 comparisons. A metric that is not symmetric is computed in the order of `models`. The
    random pairings are the same for all pairs of models, so the largest z of each pairing, over everything, is the null
    of the whole search (maxT, Westfall & Young 1993).
    """
    if not isinstance(models, Mapping) or len(models) < 2:
        raise InputError("models must be a mapping from names to layers, with at least two models.")
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    check_known([CARDS[check_choice(metric, "metric", tuple(CARDS))] for metric in metrics], metric_options)
    digests = {name: fingerprint(name, layers) for name, layers in models.items()}
    ids = next((named.ids for named in map(representation, models, models.values()) if named.ids is not None), None)
    settings = {"metrics": metrics, "alpha": alpha, "draws": draws, "seed": seed, "exchange": exchange}
    settings |= {"groups": None if groups is None else np.asarray(groups).tolist()} | metric_options
    pairs = list(itertools.combinations(models, 2))
    keys = {(a, b): sha256([version("consilience"), settings, digests[a], digests[b]])[:24] for a, b in pairs}
    pieces = Pieces(keep)
    found = {pair: pieces.read(key) for pair, key in keys.items()}
    wanting = [pair for pair in pairs if found[pair] is None]

    columns = TextColumn("comparing models"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not progress) as bar:
        task = bar.add_task("", total=len(pairs), completed=len(pairs) - len(wanting))
        work = (delayed(one_pair)(pair, models[pair[0]], models[pair[1]], ids, settings) for pair in wanting)
        for pair, piece in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(work):
            pieces.write(keys[pair], piece)
            found[pair] = piece
            bar.advance(task)
    return table_of(found, list(models), metrics, alpha, draws)


def one_pair(pair, layers_a, layers_b, ids, settings):
    """The comparison of two models as words and numbers; runs wherever the backend wants it."""
    order = Representation({}, ids, "the first file with ids")
    a, b = (matched(order, representation(*one))[1].layers for one in zip(pair, (layers_a, layers_b), strict=True))
    table = compare(a, b, **settings)
    rows = table.drop(columns=["p_all", "p_fdr", "seconds"]).to_dict("list")
    return pair, {"rows": rows, "largest": table.largest.tolist()}


def table_of(found, models, metrics, alpha, draws):
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
    table = Atlas(table)
    table.alpha, table.draws, table.models = alpha, draws, models
    return table


def representation(name, layers):
    """Named layers, and ids where there are some, whatever the model was given as."""
    if isinstance(layers, str | Path):
        found = read(layers)
        return Representation({layer or name: X for layer, X in found.layers.items()}, found.ids, found.source)
    return Representation(dict(layers) if isinstance(layers, Mapping) else {name: layers}, None, name)


def fingerprint(name, layers):
    """What a model's numbers are known by: a file by its bytes, arrays by their values."""
    if isinstance(layers, str | Path):
        if not Path(layers).is_file():
            raise InputError(f"models[{name!r}]: {layers} is not there, or is no file.")
        return digest(layers)
    arrays = representation(name, layers).layers
    return sha256({layer: check_array(X, f"models[{name!r}][{layer!r}]") for layer, X in arrays.items()})
