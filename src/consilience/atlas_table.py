"""What an atlas holds, said and drawn: who is alike, by which metric, and whether that fits what is known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from consilience import grounding
from consilience.check import InputError, check_choice
from consilience.metrics import CARDS


class Atlas(pd.DataFrame):
    """A tidy table of :func:`consilience.atlas`, one row for each metric, pair of models and pair of layers.

    Its columns are those of :class:`consilience.Comparison` with model_a and model_b before the layers, without the
    seconds, and with p_atlas: against the largest z over all pairs of models, pairs of layers and metrics. By a metric
    that is not symmetric a pair of models has rows in both orders. The attribute `origins` has the origin of each model
    that came as features.
    """

    _metadata = ("alpha", "draws", "models", "origins")

    @property
    def _constructor(self):
        return Atlas

    def best(self):
        """The pair of layers that stands out most for each metric and pair of models (in order): one row each."""
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
            One that the atlas holds; not needed if it holds one. If it is not symmetric, rows are the first argument,
            columns the second.
        column : str
        """
        part = self.of(metric).best()
        wide = pd.DataFrame(np.nan, index=list(self.models), columns=list(self.models))
        for row, value in zip(part.itertuples(), part[column], strict=True):
            wide.loc[row.model_a, row.model_b] = value
        return wide.where(wide.notna(), wide.T)

    def mean_matrix(self, metric=None, column="calibrated"):
        """As :meth:`matrix`, the mean of both orders, and so symmetric whatever the metric."""
        wide = self.matrix(metric, column)
        return (wide + wide.T) / 2

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

        A distance is counted the other way round, so that 1 always means the same order. Of a metric that is not
        symmetric, the mean of both orders counts.
        """
        pairs = np.triu_indices(len(self.models), 1)
        metrics = self.metric.drop_duplicates()
        return pd.DataFrame({metric: self.likeness(metric, column)[pairs] for metric in metrics}).corr("spearman")

    def likeness(self, metric=None, column="score"):
        """The mean of both orders, higher for more alike: array of shape (n_models, n_models), NaN on its diagonal."""
        far = column != "calibrated" and CARDS[self.of(metric).metric.iloc[0]].direction == "distance"
        values = self.mean_matrix(metric, column).to_numpy()
        return -values if far else values

    def recovers(self, groups, metric=None, column="score", draws=999, seed=0):
        """Whether a metric finds models of one group more alike than others: AUPRC and conformity, as ReSi has them.

        Parameters
        ----------
        groups : mapping from model to label
            For example what each was trained on.
        metric : str, optional
        column : str
            Scores of the best layers; those of wide layers are higher by chance alone, "calibrated" or "z" ones not.
        draws, seed : int
            Of the shuffled labels.

        Returns
        -------
        Recovery
            See :func:`consilience.grounding.recovery`.
        """
        missing = [model for model in self.models if model not in groups]
        if missing:
            raise InputError(f"groups does not say to which group {missing[0]} belongs.")
        labels = [str(groups[model]) for model in self.models]
        return grounding.recovery(self.likeness(metric, column), labels, draws, seed)

    def follows(self, differences, metric=None, column="score", draws=999, seed=0):
        """Whether models are the less alike, the more they differ otherwise: Spearman's correlation, with Mantel's p.

        Parameters
        ----------
        differences : DataFrame, models against models; or array of shape (n_models, n_models) in their order
            For example how often two models put out different answers.
        metric, column, draws, seed
            As in :meth:`recovers`.

        Returns
        -------
        Following
            See :func:`consilience.grounding.following`.
        """
        if isinstance(differences, pd.DataFrame):
            missing = [model for model in self.models if model not in differences.index or model not in differences]
            if missing:
                raise InputError(f"differences has no row or no column for {missing[0]}.")
            differences = differences.loc[self.models, self.models]
        return grounding.following(self.likeness(metric, column), differences, draws, seed)

    def __repr__(self):
        whole = {"metric", "model_a", "model_b", "p_atlas"} <= set(self.columns) and hasattr(self, "models")
        return f"{self.sentence()}\n{super().__repr__()}" if whole else super().__repr__()

    def sentence(self):
        """What stands out, in words."""
        said = []
        for metric, part in self.best().groupby("metric", sort=False):
            above = part[part.p_atlas <= self.alpha]
            pairs = "pairs of models" if CARDS[metric].symmetric else "ordered pairs of models"
            said.append(
                f"{metric}: {len(above)} of {len(part)} {pairs} are more alike than the whole search would "
                f"find by chance (alpha = {self.alpha:g})."
            )
            if len(above):
                most = above.loc[above.z.abs().idxmax()]
                said[-1] += (
                    f" What stands out most: {most.model_a} ({most.layer_a}) and {most.model_b} ({most.layer_b}), "
                    f"{most.score:.3f}, by chance {most.null_mean:.3f} ± {most.null_sd:.3f}."
                )
        return "\n".join(said)

    def called(self):
        """What pictures call the models: their names, and the first digits of the address of their origin, if known."""
        return {m: f"{m} {self.origins[m].address[:10]}" if m in self.origins else m for m in self.models}

    def drawn(self, metric):
        """The mean of both orders, under the names that pictures use."""
        return self.mean_matrix(metric).rename(index=self.called(), columns=self.called())

    def heatmap(self, metric=None, column="calibrated", ax=None):
        """Draw models against models; what the whole search could find by chance is hatched (needs seaborn).

        A metric that is not symmetric fills both halves of the square: rows are the first argument, columns the second.
        """
        from consilience.plots import draw_square

        wide = self.matrix(metric, column).rename(index=self.called(), columns=self.called())
        return draw_square(wide, self.matrix(metric, "p_atlas") > self.alpha, column, ax)

    def dendrogram(self, metric=None, ax=None):
        """Draw models as a tree: those that join late are least alike, by the mean of both orders (needs seaborn)."""
        from consilience.plots import draw_dendrogram

        return draw_dendrogram(self.drawn(metric), ax)

    def embedding(self, metric=None, kinds=None, ax=None):
        """Draw models as points, the nearer the more alike, by the mean of both orders (needs seaborn).

        Parameters
        ----------
        metric : str, optional
        kinds : mapping from model to str, optional
            What is told apart by colour and mark.
        """
        from consilience.plots import draw_embedding

        return draw_embedding(self.drawn(metric), None if kinds is None else [kinds[m] for m in self.models], ax)

    def against(self, values, metric=None, to=None, ax=None):
        """Draw a property of the models against how alike each is to the others (needs seaborn).

        Parameters
        ----------
        values : mapping from model to float
            For example the accuracy of each.
        metric : str, optional
            If it is not symmetric, the mean of both orders counts.
        to : sequence of str, optional
            The models to which likeness is averaged; all others by default.
        """
        from consilience.plots import draw_against

        wide = self.mean_matrix(metric)
        named = [model for model in values if model in wide.index]
        if len(named) < 3:
            raise InputError(f"values names {len(named)} of the models; three are needed: {', '.join(wide.index)}.")
        likeness = wide.loc[named, list(to) if to is not None else list(wide.columns)].mean(axis=1)
        return draw_against(pd.Series(dict(values))[named].rename(self.called()), likeness, ax)
