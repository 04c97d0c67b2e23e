"""The page on speed is a template, filled from the benchmarks' records before Sphinx reads it.

A section without a record is left out, and no number, nor any sentence that compares, is typed: the template asks
`speed_records` and `speed_words` for them, and `speed_figures` for pictures with their titles and descriptions. A new
record makes the page anew.
"""

import hashlib
import os
import re
from pathlib import Path

import jinja2
import speed_figures
import speed_records
import speed_tables
import speed_words

PAGE = "book/how-fast-how-far"
RECORDS = "benchmarks/results"
UNBROKEN = re.compile(r"(?<=\bn) (?==)|(?<=n =) (?=\d)|(?<=\d) (?=%|(?:ms|s|MB|GB|GFLOP|TFLOP)\b)")  # no line ends here


def rendered(template, folder, draw):
    """The page's Markdown. `draw(name, figure)` keeps a figure and returns its address."""
    records, on_gpu = speed_records.load(folder)
    words = {name: said for name, said in (vars(speed_words) | vars(speed_tables)).items() if callable(said)}
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= words
    environment.globals |= words | {
        "records": records,
        "on_gpu": on_gpu,
        "curves": lambda record, caption: picture(record, caption, draw),
        "errors": lambda record, caption: figure_of(
            f"{record.name}-errors", speed_figures.errors(record), speed_figures.errors_alt(record), caption, draw
        ),
        "shares": lambda chosen, caption: figure_of(
            "shares", speed_figures.shares(chosen), speed_figures.shares_alt(chosen), caption, draw
        ),
        "table": table,
    }
    return UNBROKEN.sub("\N{NO-BREAK SPACE}", environment.from_string(template).render())


def picture(record, caption, draw):
    """Curves where several sizes were run, else one row a contender."""
    kind = "curves" if len(record.sizes) > 1 else "bars"
    drawn = getattr(speed_figures, kind)(record)
    return figure_of(record.name, drawn, getattr(speed_figures, f"{kind}_alt")(record), caption, draw)


def figure_of(name, figure, alt, caption, draw):
    lines = [f"```{{figure}} {draw(name, figure)}", f":name: fig-speed-{name.replace('_', '-')}", f":alt: {alt}"]
    return "\n".join([*lines, ":figclass: drawn", ":class: dark-light", "", caption, "```"])


def table(head, rows, caption):
    """A table in the book's Markdown."""
    lines = [f":::{{list-table}} {caption}", ":header-rows: 1", ":class: speed", ""]
    for row in [head, *rows]:
        first, *rest = row
        lines += [f"* - {first}", *(f"  - {cell}" for cell in rest)]
    return "\n".join([*lines, ":::"])


def fill(app, docname, source):
    """Before Sphinx reads the page."""
    if docname != PAGE:
        return
    pictures = Path(app.outdir).parent / "speed"

    def draw(name, figure):
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / f"{name}.png")
        speed_figures.plt.close(figure)
        return "/" + os.path.relpath(pictures / f"{name}.png", app.srcdir)

    source[0] = rendered(source[0], Path(app.srcdir) / RECORDS, draw)


def note_records(app, config):
    digest = hashlib.sha256()
    for path in sorted((Path(app.srcdir) / RECORDS).glob("*.json")):
        digest.update(path.name.encode() + path.read_bytes())
    config.speed_records = digest.hexdigest()


def setup(app):
    app.add_config_value("speed_records", "", "env")
    app.connect("config-inited", note_records)
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
