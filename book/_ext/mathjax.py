"""Formulas with no network: the part of MathJax 3 that draws them, copied from the package sphinx-mathjax-offline.

The package holds all of MathJax, 24 MB; reading needs one script, its fonts and the TeX extensions that it loads when
a formula asks for them, 2 MB.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

PARTS = ("tex-mml-chtml.js", "input/tex/extensions", "output/chtml/fonts")


def copy_mathjax(app, exception):
    if exception or app.builder.format != "html":
        return
    source = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax"
    target = Path(app.outdir) / "_static/mathjax"
    for part in PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / part, target / part)


def setup(app):
    app.connect("config-inited", lambda app, config: setattr(config, "mathjax_path", f"mathjax/{PARTS[0]}"))
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
