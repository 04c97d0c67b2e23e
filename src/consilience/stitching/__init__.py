"""Model stitching: the upper part of one network on the lower part of another."""

from .stitching import Stitching, stitch

__all__ = ["Stitching", "stitch"]
