"""From a model and stimuli to named, cached arrays. A file a kind of model; data/models.yaml names it."""

from .encode import encode
from .features import Features

__all__ = ["Features", "encode"]
