"""The figures of the page on speed, drawn from the benchmarks' records in the book's style.

Ours is the one coloured, filled line; the others are grey, hollow, and each is named where it ends.
"""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter
from speed_records import OURS, is_ours
from speed_words import megabytes, memory, percent, race, seconds, sentence, subject, tiny

from consilience.book.figures import FAINT, INK, WIDTH, use_style

COLOUR = "#d1502f"  # of no modality; 4.2 to 1 against the light page and against the dark one
MARKERS = "sD^vPX"
LEAST = {"cpu_seconds": 0, "extra_mb": 1}  # less cannot be told from nothing
LETTERS = 11.5  # of a title, in an inch


def curves(record):
    """Time and memory against n, log-log, beside what the arithmetic alone must take and what n² numbers weigh."""
    use_style()
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.6))
    time, memory_ = axes
    limits = [(n, record.limit(n)) for n in record.sizes] if record.counted else []
    matrix = [(n, 4e-6 * n * n) for n in record.sizes] if record.square else []
    panel(time, record, "cpu_seconds", seconds, "the arithmetic alone", limits)
    panel(memory_, record, "extra_mb", megabytes, "n² numbers", matrix)
    figure.get_layout_engine().set(wspace=0.08)
    time.set_ylabel("CPU time")
    memory_.set_ylabel("memory beyond the input")
    return titled(figure, race(record))


def panel(axis, record, key, words, floor_name, floor):
    ends = []
    for i, name in enumerate(record.contenders):
        points = [(n, max(run[key], LEAST[key])) for n, run in record.series(name) if run.get(key) is not None]
        if points:
            draw(axis, *zip(*points, strict=True), name, i)
            ends.append((name, *points[-1]))
    if floor:
        axis.plot(*zip(*floor, strict=True), color=FAINT, lw=1.2, ls=":", zorder=0)
        ends.append((floor_name, *floor[-1]))
    log_log(axis, record, words)
    name_ends(axis, ends)


def bars(record):
    """Time at the one size that was run, one row a contender."""
    use_style()
    n = record.largest
    runs = [run for name in record.contenders for size, run in record.series(name) if size == n]
    figure, axis = plt.subplots(figsize=(WIDTH, 0.36 * len(runs) + 1.3))
    for y, run in enumerate(runs):
        draw(axis, [run["cpu_seconds"]], [y], run["contender"], y)
        axis.annotate(f"   {seconds(run['cpu_seconds'])}", (run["cpu_seconds"], y), va="center", fontsize=8.5)
    if record.counted:
        axis.axvline(record.limit(n), color=FAINT, lw=1.2, ls=":", zorder=0)
        axis.annotate("the arithmetic alone", (record.limit(n), -0.7), ha="center", fontsize=8)
    axis.set(xscale="log", ylim=(len(runs) - 0.5, -1), xlabel=f"CPU time at n = {n:,}")
    axis.set_yticks(range(len(runs)), [label(run["contender"]) for run in runs])
    axis.margins(x=0.15)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: round_number(seconds(value))))
    axis.xaxis.set_minor_formatter(NullFormatter())
    return titled(figure, race(record))


def errors(record):
    """Distance from float64 against n, log-log."""
    use_style()
    figure, axis = plt.subplots(figsize=(0.85 * WIDTH, 3.6))
    ends = []
    for i, name in enumerate(record.contenders):
        points = [(n, run["error"]) for n, run in record.series(name) if run.get("error")]
        if points:
            draw(axis, *zip(*points, strict=True), name, i)
            ends.append((name, *points[-1]))
    log_log(axis, record, tiny)
    name_ends(axis, ends, 0.05)
    axis.set_ylabel(record.error)
    return titled(figure, errors_title(record))


def errors_title(record):
    n, ours = record.largest, max(run["error"] for _, run in record.series(OURS) if "error" in run)
    worst = max((peer for peer in record.peers(n) if "error" in peer), key=lambda peer: peer["error"])
    far = f"{worst['contender']} is {tiny(worst['error'])} off at n = {n:,}"
    return f"Consilience stays within {tiny(ours)} of float64; {far}"


def shares(records):
    """What part of the machine's limit each reaches, at the largest size of each task."""
    use_style()
    figure, axis = plt.subplots(figsize=(WIDTH, 0.62 * len(records) + 1.3))
    for y, record in enumerate(records):
        n = record.largest
        for peer in record.peers(n):
            axis.plot(peer["share_of_peak"], y, "s", mfc="none", mec=INK, ms=6, mew=1.2)
        marked = [(record.ours(n), COLOUR, "bold")] + [(peer, INK, "normal") for peer in record.peers(n)[:1]]
        for run, colour, weight in marked:
            share = run["share_of_peak"]
            words = f"{label(run['contender'])} {percent(share)}"
            beside = run is not marked[0][0] and abs(share - marked[0][0]["share_of_peak"]) < 0.2  # else they overlap
            place = {"xytext": (0, -15 if beside else 8), "textcoords": "offset points", "ha": "center"}
            axis.annotate(words, (share, y), color=colour, fontsize=8.5, fontweight=weight, **place)
        axis.plot(record.ours(n)["share_of_peak"], y, "o", color=COLOUR, ms=9)
    axis.axvline(1, color=INK, lw=1)
    axis.set_yticks(range(len(records)), [f"{subject(record)}\nn = {record.largest:,}" for record in records])
    furthest = max(record.ours(record.largest)["share_of_peak"] for record in records)
    axis.set(
        xlim=(0, max(1.04, 1.06 * furthest)),
        ylim=(len(records) - 0.5, -0.7),
        xlabel="share of the limit in float32, which is the line",
    )
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    return titled(figure, shares_title(records))


def shares_title(rows):
    reached = [record.ours(record.largest)["share_of_peak"] for record in rows]
    low, high = percent(min(reached)), percent(max(reached))
    return f"Consilience reaches {low if low == high else f'{low} to {high}'} of what one core can do in float32"


def draw(axis, x, y, name, i=1):
    """Ours, ours in another way, or the i-th of the others."""
    if name == OURS:
        axis.plot(x, y, marker="o", color=COLOUR, lw=2.4, ms=7, zorder=3)
    elif is_ours({"contender": name}):
        axis.plot(x, y, marker="o", color=COLOUR, mfc="none", lw=1.2, ls="--", ms=5.5, mew=1.2)
    else:
        axis.plot(x, y, marker=MARKERS[i % len(MARKERS)], color=INK, mfc="none", lw=1, ms=5.5, mew=1.2)


def log_log(axis, record, words):
    axis.set(xscale="log", yscale="log", xlabel=f"{record.n_name}, n")
    axis.set_xticks(record.sizes, [f"{n / 1000:g}k" if n >= 1000 else f"{n}" for n in record.sizes])
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: round_number(words(value))))
    for side in (axis.xaxis, axis.yaxis):
        side.set_minor_formatter(NullFormatter())
    axis.tick_params(which="minor", length=0)


def round_number(words):
    """A power of ten in words, without digits that say nothing: 1 s, 0.1 s, 10⁻⁴."""
    return words.replace("1.0·", "").replace("1.0", "1").replace("0.10 ", "0.1 ").replace("0.010", "0.01")


def name_ends(axis, ends, apart=0.062):
    """Each line's name beside its end, moved up or down until no two touch, with a thread to where it belongs."""
    ends = sorted(ends, key=lambda end: end[2])
    low, high = np.log(axis.get_ylim())
    at = np.array([(np.log(value) - low) / (high - low) for _, _, value in ends])
    places = at.copy()
    for _ in range(200):
        for i in range(len(places) - 1):
            overlap = max(0, apart - (places[i + 1] - places[i]))
            places[i] -= overlap / 2
            places[i + 1] += overlap / 2
    left, right = np.log(axis.get_xlim())
    for (name, x, _), height, place in zip(ends, at, places, strict=True):
        edge = (np.log(x) - left) / (right - left)
        ours = is_ours({"contender": name})
        axis.annotate(
            label(name),
            (edge, height),
            (edge + 0.075, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            annotation_clip=False,
            color=COLOUR if ours else INK,
            fontweight="bold" if name == OURS else "normal",
            arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.6, "shrinkA": 1, "shrinkB": 4},
        )


def label(name):
    return name[0].upper() + name[1:] if is_ours({"contender": name}) else name


def titled(figure, title):
    lines = fill(title, int(LETTERS * figure.get_figwidth()))
    figure.suptitle(lines, x=0.01, ha="left", fontweight="bold", color=INK, fontsize=10.5)
    return figure


# What is seen, for a reader who cannot ------------------------------------------------------------------------------


def curves_alt(record):
    first, last = record.sizes[0], record.largest
    ours = [record.ours(n)["cpu_seconds"] for n in (first, last)]
    slowest = record.peers(last)[-1] if record.peers(last) else None
    words = (
        f"Two panels against the number of {record.n_name}, both axes logarithmic. CPU time: Consilience rises from "
        f"{seconds(ours[0])} at {first:,} to {seconds(ours[1])} at {last:,}"
    )
    if slowest:
        words += f"; of the others, {slowest['contender']} is the highest line, at {seconds(slowest['cpu_seconds'])}"
    return f"{words}. {memory(record)}"


def bars_alt(record):
    n = record.largest
    times = "; ".join(f"{run['contender']} {seconds(run['cpu_seconds'])}" for run in (record.ours(n), *record.peers(n)))
    return f"CPU time of each contender as a point on a logarithmic axis, at n = {n:,}: {times}."


def errors_alt(record):
    n = record.largest
    known = [run for run in (record.ours(n), *record.peers(n)) if "error" in run]
    ends = "; ".join(f"{run['contender']} {tiny(run['error'])}" for run in known)
    return f"{sentence(record.error)} against the number of {record.n_name}, both axes logarithmic. At {n:,}: {ends}."


def shares_alt(records):
    words = []
    for record in records:
        n, peers = record.largest, record.peers(record.largest)
        best = f", the best of the others {percent(max(p['share_of_peak'] for p in peers))}" if peers else ""
        words.append(f"{subject(record)}: Consilience {percent(record.ours(n)['share_of_peak'])}{best}")
    return "A row for each task, with points by their share of the limit, which is a line. " + "; ".join(words) + "."
