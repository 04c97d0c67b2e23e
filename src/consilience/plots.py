"""Pictures of results. Each carries its null: a score without what chance gives is not drawn here."""

from __future__ import annotations

import numpy as np

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
        ax.set(xlabel="pairs of layers, in order", ylabel=metric)
        ax.legend(frameon=False, fontsize="small")
        bring("seaborn").despine(ax=ax)
    return axes
