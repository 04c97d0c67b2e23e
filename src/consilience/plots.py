"""Pictures of results. Each carries its null: a score without what chance gives is not drawn here."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from consilience.check import InputError
from consilience.optional import bring

CHANCE = "0.7"  # the grey of what chance does, in every picture
SCORE = "#2f7fc1"


def pyplot():
    """Matplotlib and seaborn, which the core of the package does without."""
    bring("seaborn")
    return bring("matplotlib.pyplot")


def draw_null(alignment, ax=None):
    """The null of one alignment, the level that chance reaches, and the score."""
    plt = pyplot()
    ax = plt.subplots(figsize=(6, 2.6))[1] if ax is None else ax
    chance, score = alignment.chance, alignment.score
    spread = np.linspace(min(chance.mean - 4 * chance.sd, score), max(chance.mean + 5 * chance.sd, score), 400)
    tails = np.array([chance.tail(x) for x in spread])
    density = np.clip(np.abs(np.diff(tails)) / np.diff(spread), 0, None)
    ax.fill_between((spread[1:] + spread[:-1]) / 2, density, color=CHANCE, lw=0, label="by chance")
    reached = chance.quantile(1 - alignment.alpha)
    ax.axvline(reached, color="0.4", ls=":", label=f"reached by chance once in {1 / alignment.alpha:g}")
    ax.axvline(score, color=SCORE, lw=2.5, label="score")
    ax.set(xlabel=alignment.metric, yticks=[], ylim=(0, None))
    ax.legend(frameon=False, fontsize="small")
    bring("seaborn").despine(ax=ax, left=True)
    return ax


def draw_scale_curve(table, ax=None):
    """Mutual k-NN over k, chance as a line, what it reaches as a band."""
    plt = pyplot()
    ax = plt.subplots(figsize=(6, 3.4))[1] if ax is None else ax
    ax.fill_between(table.k, table.null_mean, table.reached, color=CHANCE, lw=0, label="by chance")
    ax.plot(table.k, table.null_mean, color="0.4", lw=1)
    ax.plot(table.k, table.score, "o-", color=SCORE, label="mutual k-NN")
    ax.set(xscale="log", xlabel=f"k, of {table.n.iloc[0]} stimuli", ylabel="share of neighbours in common", ylim=(0, 1))
    ax.legend(frameon=False, fontsize="small")
    bring("seaborn").despine(ax=ax)
    return ax


def draw_heatmaps(table, column="calibrated", axes=None):
    """Layers against layers, a panel for each metric; what the search could reach by chance is hatched."""
    plt, sns = pyplot(), bring("seaborn")
    metrics = table.metric.drop_duplicates()
    if axes is None:
        axes = plt.subplots(1, len(metrics), figsize=(4.4 * len(metrics), 3.8), layout="constrained")[1]
    for ax, metric in zip(np.atleast_1d(axes), metrics, strict=True):
        part = table[table.metric == metric]
        rows, columns = part.layer_a.drop_duplicates(), part.layer_b.drop_duplicates()
        values = part.matrix(column)
        sns.heatmap(values, ax=ax, xticklabels=columns, yticklabels=rows, cmap="mako_r", cbar_kws={"label": column})
        for i, j in np.argwhere(part.matrix("p_max") > table.alpha):
            ax.add_patch(plt.Rectangle((j, i), 1, 1, fill=False, hatch="///", edgecolor="0.5", lw=0))
        ax.set_title(f"{metric}: hatched is within chance", fontsize="medium", loc="left")
        ax.set(ylabel=origin(table, "from_a"), xlabel=origin(table, "from_b"))
    return axes


def draw_nulls(table, axes=None):
    """The score of each pair beside what chance gives it: mean and two standard deviations."""
    plt = pyplot()
    metrics = table.metric.drop_duplicates()
    if axes is None:
        axes = plt.subplots(1, len(metrics), figsize=(4.4 * len(metrics), 3.4), layout="constrained")[1]
    for ax, metric in zip(np.atleast_1d(axes), metrics, strict=True):
        part = table[table.metric == metric].sort_values("score")
        place = np.arange(len(part))
        ax.fill_between(
            place, part.null_mean - 2 * part.null_sd, part.null_mean + 2 * part.null_sd, color=CHANCE, lw=0,
            label="by chance, ± 2 sd",
        )  # fmt: skip
        above = part.p_max <= table.alpha
        ax.plot(place[above], part.score[above], "o", color=SCORE, ms=4, label="above chance of the best pair")
        ax.plot(place[~above], part.score[~above], "o", mfc="none", mec="0.4", ms=4, label="not above it")
        models = [origin(table, side) for side in ("from_a", "from_b")]
        whose = f" of {' and '.join(models)}" if all(models) else ""
        ax.set(xlabel=f"pairs of layers{whose}, in order", ylabel=metric)
        ax.legend(frameon=False, fontsize="small")
        bring("seaborn").despine(ax=ax)
    return axes


def draw_square(wide, within_chance, column="calibrated", ax=None):
    """Models against models; what the whole search could find by chance is hatched."""
    plt, sns = pyplot(), bring("seaborn")
    side = 0.35 * len(wide) + 2
    ax = plt.subplots(figsize=(side + 1, side), layout="constrained")[1] if ax is None else ax
    names = {"xticklabels": list(wide.columns), "yticklabels": list(wide.index)}
    sns.heatmap(wide.to_numpy(), ax=ax, cmap="mako_r", square=True, cbar_kws={"label": column}, **names)
    for i, j in np.argwhere(np.asarray(within_chance)):
        ax.add_patch(plt.Rectangle((j, i), 1, 1, fill=False, hatch="///", edgecolor="0.5", lw=0))
    ax.set_title("hatched is within chance of the whole search", fontsize="medium", loc="left")
    ax.set(ylabel="first", xlabel="second")
    return ax


def unlikeness(wide):
    """1 - likeness between models, an array; every pair must have been compared."""
    likeness = np.clip(wide.to_numpy(dtype=float, copy=True), 0, 1)
    np.fill_diagonal(likeness, 1)
    if not np.isfinite(likeness).all():
        raise InputError("Some pairs of models have no calibrated score, so that there is nothing to draw.")
    return 1 - likeness


def draw_dendrogram(wide, ax=None):
    """Models as a tree by average linkage of 1 - calibrated score; at 1 two models are no more alike than by chance."""
    plt = pyplot()
    ax = plt.subplots(figsize=(6, 0.3 * len(wide) + 1))[1] if ax is None else ax
    tree = hierarchy.linkage(squareform(unlikeness(wide), checks=False), "average")
    hierarchy.dendrogram(tree, labels=list(wide.index), orientation="left", ax=ax, link_color_func=lambda _: SCORE)
    ax.set(xlabel="1 − calibrated score", xlim=(1, 0))
    bring("seaborn").despine(ax=ax, left=True)
    return ax


def draw_embedding(wide, kinds=None, ax=None):
    """Models as points by classical scaling of 1 - calibrated score, and how much of the distances two axes keep."""
    plt, sns = pyplot(), bring("seaborn")
    ax = plt.subplots(figsize=(5, 4.6))[1] if ax is None else ax
    points, kept = scaled(unlikeness(wide))
    kinds = [""] * len(wide) if kinds is None else list(kinds)
    told = {"hue": kinds, "style": kinds, "palette": "colorblind"} if len(set(kinds)) > 1 else {"color": SCORE}
    sns.scatterplot(x=points[:, 0], y=points[:, 1], s=60, ax=ax, **told)
    name_points(ax, wide.index, points)
    ax.set(xticks=[], yticks=[], xlabel=f"two axes keep {kept:.0%} of the squared distances", ylabel="", aspect="equal")
    sns.despine(ax=ax, left=True, bottom=True)
    return ax


def scaled(distances):
    """Two coordinates for each model by classical scaling (Torgerson 1952), and the share of variance they keep."""
    halves = distances**2 / 2
    found = bring("sklearn.decomposition").KernelPCA(n_components=2, kernel="precomputed").fit_transform(-halves)
    return found, float(min(1, (found**2).sum() / (halves.mean() * len(halves))))


def draw_against(values, likeness, ax=None):
    """A property of each model against its likeness to others, with Spearman's correlation and its p by shuffling."""
    plt = pyplot()
    ax = plt.subplots(figsize=(5, 4))[1] if ax is None else ax
    found = stats.permutation_test(
        (likeness.to_numpy(),),
        lambda x: stats.spearmanr(x, values.to_numpy()).statistic,
        permutation_type="pairings",
        n_resamples=9999,
        rng=np.random.default_rng(0),
    )
    ax.plot(likeness, values, "o", color=SCORE)
    name_points(ax, values.index, zip(likeness, values, strict=True))
    ax.set(xlabel="mean calibrated score", ylabel=values.name or "property of the model")
    said = f"Spearman {found.statistic:.2f}, p = {found.pvalue:.3g} over {len(values)} models"
    ax.set_title(said, fontsize="medium", loc="left")
    bring("seaborn").despine(ax=ax)
    return ax


def name_points(ax, names, points):
    for name, point in zip(names, points, strict=True):
        ax.annotate(name, point, xytext=(4, 4), textcoords="offset points", fontsize="small")


def origin(table, side):
    """The model on one side of a comparison and the address of its features, where the table knows them."""
    return table[side].iloc[0] if side in table else ""
