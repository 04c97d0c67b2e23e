"""The look of every figure: one message each, the null as a grey band, controls as hollow marks.

Figures are drawn on no ground, with a grey ink that reads on white and on black, so that they suit both faces of the
page. Colours name the modality in all chapters and survive colour blindness; no meaning hangs on colour alone.
"""

from __future__ import annotations

from textwrap import shorten

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from consilience.check import InputError
from consilience.metrics import catalogue

WIDTH = 7.6  # inches, of every figure, so that letters have one size throughout
INK = "#7a7a7a"
FAINT = "#9a9a9a"
COLOURS = {
    "vision": "#2f7fc1",
    "language": "#d9822b",
    "speech": "#2e9e6b",
    "multimodal": "#9166c7",
    "brain": "#cf4f78",
    "world": "#4f8a93",  # made by hand, of no modality
}
RAMP = "mako_r"
MARKS = {"one untrained": "o", "both untrained": "^", "baseline": "s", "both baselines": "P", "shuffled": "X"}


def use_style():
    """Set the look of all figures that follow."""
    sns.set_theme(context="notebook", style="ticks")
    plt.rcParams.update(
        {
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "figure.dpi": 190,
            "savefig.dpi": 190,
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "axes.titlesize": 10.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 9.5,
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlecolor": INK,
        }
    )


def gallery(stimuli, chosen, columns=8, languages=()):
    """Pictures of the gallery with their captions; the credit belongs into the figure's caption.

    `languages` are further ones, whose captions stand below the picture. InputError if the pictures may be used but not
    shown, as those of people who were not asked.
    """
    if not stimuli.shown:
        raise InputError(f"{stimuli.name} may be used, but not shown; no figure prints it.")
    rows = int(np.ceil(len(chosen) / columns))
    height = WIDTH / columns * rows * (1.25 + 0.22 * len(languages))
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height))
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, map(int, chosen), strict=False):
        axis.imshow(stimuli.image(i))
        axis.set_title(brief(stimuli.text(i)), fontsize=7, fontweight="normal", loc="center")
        below = "\n".join(brief(stimuli.text(i, language)) for language in languages)
        axis.text(0.5, -0.06, below, fontsize=7, ha="center", va="top", transform=axis.transAxes)
    return figure


def brief(caption):
    return shorten(caption.rstrip("."), 19, placeholder=" …")


def heatmaps(tables, title):
    """Layers against layers, one panel a table of :func:`consilience.compare`.

    A dot marks each row's best match; a dash marks what the maximum over all pairs reaches by chance.

    Parameters
    ----------
    tables : dict from (row label, column label) to DataFrame of one metric
    title : str
        The message, as a sentence.
    """
    figure, axes = plt.subplots(1, len(tables), figsize=(WIDTH, 3.3))
    for axis, ((below, above), table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        rows, columns = table.layer_a.drop_duplicates(), table.layer_b.drop_duplicates()
        scores, chance = table.matrix(), table.matrix("p_max") > 0.05
        image = axis.pcolormesh(scores, cmap=RAMP, vmin=0, vmax=1)
        axis.scatter(scores.argmax(1) + 0.5, np.arange(len(rows)) + 0.5, s=20, color="w", edgecolor="k", linewidth=0.8)
        for i, j in np.argwhere(chance):
            axis.plot([j + 0.25, j + 0.75], [i + 0.5, i + 0.5], color=INK, lw=1)
        axis.set(xlabel=above, ylabel=below, aspect=len(columns) / len(rows))
        axis.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=90, fontsize=7)
        axis.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=7)
        axis.tick_params(length=0)
        sns.despine(ax=axis, left=True, bottom=True)
    bar = figure.colorbar(image, ax=axes, shrink=0.6)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5, length=0)
    return entitled(figure, title)


def square(table, title, divisions=()):
    """Models against models: calibrated scores of one metric of an atlas, lines between their kinds.

    A dash marks a pair that the whole search would reach by chance.

    Parameters
    ----------
    table : consilience.Atlas of one metric
    title : str
        The message, as a sentence.
    divisions : sequence of int
        How many models come before each line.
    """
    scores, chance = table.matrix(), table.matrix(column="p_atlas") > table.alpha
    count = len(scores)
    figure, axis = plt.subplots(figsize=(WIDTH * 0.82, WIDTH * 0.72))
    shown = scores.where(~np.eye(count, dtype=bool))
    image = axis.pcolormesh(shown, cmap=RAMP, vmin=0, vmax=float(np.nanmax(shown)))
    for i, j in np.argwhere(chance.to_numpy()):
        axis.plot([j + 0.3, j + 0.7], [i + 0.5, i + 0.5], color=INK, lw=1)
    for place in divisions:
        axis.axhline(place, color=INK, lw=1.2)
        axis.axvline(place, color=INK, lw=1.2)
    axis.set_xticks(np.arange(count) + 0.5, scores.columns, rotation=60, ha="right", rotation_mode="anchor")
    axis.set_yticks(np.arange(count) + 0.5, scores.index)
    axis.tick_params(length=0)
    axis.set(aspect="equal", ylim=(count, 0))
    sns.despine(ax=axis, left=True, bottom=True)
    bar = figure.colorbar(image, ax=axis, shrink=0.6)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5, length=0)
    return entitled(figure, title)


def trees(atlas, metrics, title):
    """The models of an atlas as trees, one panel a metric."""
    figure, axes = plt.subplots(1, len(metrics), figsize=(WIDTH, 0.3 * len(atlas.models) + 1.1))
    for axis, metric in zip(axes, metrics, strict=True):
        atlas.dendrogram(metric, axis)
        axis.tick_params(axis="y", labelsize=8.5)
        axis.set_title(catalogue()[metric].title, fontsize=9.5, fontweight="normal")
    return entitled(figure, title)


def ladder(panels, title, colour=COLOURS["vision"]):
    """Scores with their interval, their null band and their controls; one row a pair, one panel a metric.

    Parameters
    ----------
    panels : dict from axis label to list of dict
        Each row: label, score, low, high, null (low, high), controls (list of (kind, score)).
    title : str
    """
    count = max(map(len, panels.values()))
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 0.55 * count + 1.6), sharey=True)
    for axis, (label, rows) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for y, row in enumerate(rows):
            axis.fill_betweenx([y - 0.36, y + 0.36], *row["null"], color=FAINT, alpha=0.5, lw=0)
            for kind, score in row["controls"]:
                axis.plot(score, y, MARKS[kind], mfc="none", mec=INK, ms=7, mew=1.3)
            axis.plot([row["low"], row["high"]], [y, y], color=colour, lw=2.4)
            axis.plot(row["score"], y, "D", color=colour, ms=8)
        axis.set_yticks(range(count), [row["label"] for row in rows])
        axis.set(xlabel=label, ylim=(count - 0.5, -0.5))
    kinds = dict.fromkeys(kind for rows in panels.values() for row in rows for kind, _ in row["controls"])
    marks = [plt.Line2D([], [], marker="D", color=colour, ms=7, lw=2.4, label="the pair, 95 % interval")]
    marks += [plt.Line2D([], [], marker=MARKS[k], ls="", mfc="none", mec=INK, ms=7, mew=1.3, label=k) for k in kinds]
    marks.append(plt.Rectangle((0, 0), 1, 1, color=FAINT, alpha=0.5, lw=0, label="by chance"))
    figure.legend(handles=marks, loc="outside lower left", ncols=3, fontsize=8.5)
    return entitled(figure, title)


def curves(panels, title, ylabel, colour=COLOURS["vision"]):
    """Scores along a scale: models as lines, controls dashed and hollow, the null as a band.

    Parameters
    ----------
    panels : dict from panel title to dict
        x (values), xlabel, lines and controls (dicts from label to scores); optionally null (low, high) and
        log (default True).
    title, ylabel : str
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 4.0), sharey=True)
    shades = sns.light_palette(colour, n_colors=6)[2:]
    for axis, (name, panel) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        x = np.asarray(panel["x"])
        if "null" in panel:
            axis.fill_between(x, *panel["null"], color=FAINT, alpha=0.5, lw=0, label="by chance")
        for i, (label, y) in enumerate(panel["lines"].items()):
            axis.plot(x, y, marker="Dovs"[i % 4], ms=5.5, color=shades[-1 - i % 4], lw=2.2, label=label)
        for i, (label, y) in enumerate(panel["controls"].items()):
            axis.plot(x, y, marker="os^v"[i % 4], ms=5.5, mfc="none", color=INK, lw=1, ls="--", label=label)
        axis.set(xlabel=panel["xlabel"])
        if panel.get("log", True):
            axis.set_xscale("log")
            axis.minorticks_off()
            axis.set_xticks(x, [f"{value:g}" for value in x])
        axis.set_title(name, fontsize=9.5, fontweight="normal")
    np.atleast_1d(axes)[0].set_ylabel(ylabel)
    named = {}
    for axis in np.atleast_1d(axes):
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    figure.legend(named.values(), named.keys(), loc="outside lower left", ncols=3, fontsize=8.5)
    return entitled(figure, title)


def tails(panels, title, colour=COLOURS["world"]):
    """How rarely chance reaches a score: what shuffling found, and the curves that were put through moments.

    Parameters
    ----------
    panels : dict from panel title to dict
        x (scores, in standard deviations), low and high (between which shuffling puts the tail), and lines and
        controls (dicts from label to tail).
    title : str
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.6), sharey=True)
    for axis, (name, panel) in zip(axes, panels.items(), strict=True):
        axis.fill_between(panel["x"], panel["low"], panel["high"], color=FAINT, alpha=0.5, lw=0, label="by shuffling")
        for label, y in panel["lines"].items():
            axis.plot(panel["x"], y, color=colour, lw=2.2, label=label)
        for label, y in panel["controls"].items():
            axis.plot(panel["x"], y, color=INK, lw=1, ls="--", label=label)
        axis.set(xlabel="score, standard deviations", yscale="log", ylim=(1e-3, 1))
        axis.set_title(name, fontsize=9.5, fontweight="normal")
    axes[0].set_ylabel("share of shuffles as high")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=3, fontsize=8.5)
    return entitled(figure, title)


def changes(panels, title, colour=COLOURS["world"]):
    """Scores before and after something was done to the data; one row a metric, one panel a deed.

    Parameters
    ----------
    panels : dict from panel title to dict from metric to (before, after, (low, high) by chance)
    title : str
    """
    count = max(map(len, panels.values()))
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 0.36 * count + 1.5), sharey=True, sharex=True)
    for axis, (name, rows) in zip(axes, panels.items(), strict=True):
        for y, (before, after, null) in enumerate(rows.values()):
            axis.fill_betweenx([y - 0.36, y + 0.36], *null, color=FAINT, alpha=0.5, lw=0)
            axis.plot([before, after], [y, y], color=colour, lw=1.4)
            axis.plot(before, y, "o", mfc="none", mec=INK, ms=7, mew=1.3)
            axis.plot(after, y, "D", color=colour, ms=7)
        axis.set_yticks(range(count), list(rows))
        axis.set(xlabel="score", ylim=(count - 0.5, -0.5), xlim=(-0.1, 1.06))
        axis.set_title(name, fontsize=9.5, fontweight="normal")
    marks = [
        plt.Line2D([], [], marker="o", ls="", mfc="none", mec=INK, ms=7, mew=1.3, label="before"),
        plt.Line2D([], [], marker="D", color=colour, ms=7, lw=1.4, label="after"),
        plt.Rectangle((0, 0), 1, 1, color=FAINT, alpha=0.5, lw=0, label="by chance, after"),
    ]
    figure.legend(handles=marks, loc="outside lower left", ncols=3, fontsize=8.5)
    return entitled(figure, title)


def entitled(figure, title):
    """The figure with its message above it."""
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", color=INK, fontsize=10.5)
    return figure
