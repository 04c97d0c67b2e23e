"""``python -m consilience.cli``, where the command itself is not on the path."""

from . import app

app()
