"""Libraries that only the chapters need: brought in when used, with one clear line when they are missing."""

from __future__ import annotations

import warnings
from importlib import import_module


def bring(module, extra="chapters"):
    """The imported `module` ("torch", "PIL.Image", ...); ImportError names the extra that installs it."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")  # a progress bar that would not be shown anyway
            return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{module} cannot be imported ({error}). What needs it comes with: pip install "consilience[{extra}]"'
        ) from error
