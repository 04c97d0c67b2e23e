"""The command line: ``consilience doctor | kit | metrics | encode | cache | align | compare | atlas``."""

from __future__ import annotations

import typer

from . import features, here, scores

app = typer.Typer(help="Measure whether models, and brains, come to see the world alike.", no_args_is_help=True)
for commands in (here.app, features.app, scores.app):
    app.add_typer(commands)
