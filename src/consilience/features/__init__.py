"""From a model and stimuli to named, cached arrays. A file for each kind of model; data/models.yaml names it."""

from .encode import encode
from .features import Features

__all__ = ["Features", "encode"]
