"""Libraries that only the chapters need: brought in when used, with one clear line when they are missing."""

from __future__ import annotations

from importlib import import_module


def bring(module):
    """The imported `module` ("torch", "PIL.Image", ...); ImportError names the extra that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{module} cannot be imported ({error}). Models and pictures need: pip install "consilience[chapters]"'
        ) from error
