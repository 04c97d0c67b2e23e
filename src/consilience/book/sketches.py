"""Drawings that explain rather than measure: what a change does to a cloud, and how edges can meet."""

from __future__ import annotations

from itertools import permutations

import matplotlib.pyplot as plt
import numpy as np

from consilience.book.figures import COLOURS, FAINT, INK, WIDTH, entitled
from consilience.patterns import patterns

KINDS = "osD^"


def clouds(panels, title, colour=COLOURS["world"]):
    """The same stimuli as several representations see them, each with its scores below.

    Parameters
    ----------
    panels : dict from panel title to (points, marks, words)
        points of shape (n, 2); marks, a small whole number for each stimulus, chooses its shape; words stand below.
    title : str
        The message, as a sentence.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 2.6))
    for axis, (name, (points, marks, words)) in zip(axes, panels.items(), strict=True):
        for kind in np.unique(marks):
            of_kind = points[marks == kind]
            filled = {"color": colour} if kind % 2 else {"mfc": "none", "mec": colour}
            axis.plot(*of_kind.T, KINDS[kind % 4], ms=4, ls="", **filled)
        first = points[0]
        axis.plot(*first, "o", ms=11, mfc="none", mec=INK, mew=1.3)
        axis.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        axis.set_title(name, fontsize=9, fontweight="normal", loc="center")
        axis.set_xlabel(words, fontsize=7.8)
        for side in ("top", "right", "bottom", "left"):
            axis.spines[side].set(visible=True, color=FAINT)
    return entitled(figure, title)


def meetings(powers, title, colour=COLOURS["world"]):
    """The patterns that the edges of a power of T can form, with the number of ways to each.

    Parameters
    ----------
    powers : dict from row label to int
    title : str
    """
    rows = {label: sorted(map(drawn, patterns(power, False))) for label, power in powers.items()}
    columns = max(map(len, rows.values()))
    figure, axes = plt.subplots(len(rows), columns, figsize=(WIDTH, 1.5 * len(rows)))
    for axis in axes.flat:
        axis.axis("off")
        axis.set(xlim=(-1.5, 1.5), ylim=(-1.8, 1.4), aspect="equal")
    for line, (label, found) in zip(axes, rows.items(), strict=True):
        line[0].text(-1.5, 1.75, label, fontsize=9, color=INK)
        for axis, (m, _, edges, times) in zip(line, found, strict=False):
            places = laid_out(m, edges)
            for edge in set(edges):
                for bend in spread(edges.count(edge)):
                    axis.annotate(
                        "",
                        places[edge[0]],
                        places[edge[1]],
                        arrowprops={"arrowstyle": "-", "color": INK, "connectionstyle": f"arc3,rad={bend}"},
                    )
            axis.plot(*places.T, "o", color=colour, ms=5)
            axis.text(0, -1.7, f"× {times}", ha="center", fontsize=9, color=INK)
    return entitled(figure, title)


def laid_out(m, edges):
    """Vertices around a circle, in the order in which edges are shortest."""
    angle = np.pi / 2 + 2 * np.pi * np.arange(m) / m + (np.pi / 4 if m == 4 else 0)
    circle = 0.85 * np.c_[np.cos(angle), np.sin(angle)]
    u, v = np.transpose(edges)
    orders = map(list, permutations(range(m)))
    return circle[min(orders, key=lambda o: round(np.linalg.norm(circle[o][u] - circle[o][v], axis=1).sum(), 6))]


def drawn(pattern):
    """(vertices, edges without repeats, edges, times) of a row of :func:`consilience.patterns.patterns`."""
    times, m, terms = pattern
    (own,) = (parts for parts in terms if sum(1 + max(map(max, part)) for part in parts) == m)
    edges, offset = [], 0
    for part in own:
        edges += [(u + offset, v + offset) for u, v in part]
        offset += 1 + max(map(max, part))
    return m, len(set(edges)), edges, times


def spread(count):
    """Bends of parallel edges."""
    return [0.0] if count == 1 else np.linspace(-0.4, 0.4, count)
