"""``{levels}``: how often independent sets were called alike, made from the record of ``benchmarks/level.py``."""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

RECORD = "benchmarks/level.json"


def shares(rows, levels):
    """Share called alike at each level, in per cent. Sets count alike, however many pairings each was given."""
    sets = sum(row["sets"] for row in rows)
    rates = (sum(row["sets"] * row["called_alike"][level] / row["pairings"] for row in rows) / sets for level in levels)
    return " · ".join(f"{100 * rate:.2g}" for rate in rates)


def markdown(record, n):
    """A row for each world, a column for each metric, in the book's Markdown."""
    rows = [row for row in record["rows"] if row["n"] == n]
    levels = list(rows[0]["called_alike"])
    metrics, worlds = (list(dict.fromkeys(row[key] for row in rows)) for key in ("metric", "world"))
    lines = [":::{list-table}", ":class: metrics-overview", ":header-rows: 1", ":stub-columns: 1", "", f"* - n = {n}"]
    lines += [f"  - {metric}" for metric in metrics]
    for world in worlds:
        lines += [f"* - {world}"]
        for metric in metrics:
            chosen = [row for row in rows if (row["world"], row["metric"]) == (world, metric)]
            lines += [f"  - {shares(chosen, levels)} {mark(chosen)}".rstrip()]
    return [*lines, ":::"]


def mark(rows):
    """Whether `align` took pairings, for all sets or for some."""
    return {("moments",): "", ("permutations",): "°"}.get(tuple({row["method"] for row in rows}), "(°)")


class Levels(SphinxDirective):
    def run(self):
        path = Path(self.env.srcdir) / RECORD
        self.env.note_dependency(str(path))
        record, boxes = json.loads(path.read_text()), []
        for n in record["options"]["n"]:
            boxes.append(nodes.container(classes=["scroll"]))
            self.state.nested_parse(markdown(record, n), self.content_offset, boxes[-1])
        return boxes


def setup(app):
    app.add_directive("levels", Levels)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
