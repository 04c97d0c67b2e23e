"""What the chapters share: claims and their verdicts, controls, figures, checked exercises, numbers for the text."""

from consilience.book.checks import check
from consilience.book.claims import Claim, Evidence, above_chance, above_control, judge, record
from consilience.book.controls import UNTRAINED, controls, evidence, resample
from consilience.book.cost import cost
from consilience.book.expect import expect
from consilience.book.glue import glue
from consilience.book.order import order
from consilience.comparison import layer_matrix

__all__ = [
    "UNTRAINED",
    "Claim",
    "Evidence",
    "above_chance",
    "above_control",
    "check",
    "controls",
    "cost",
    "evidence",
    "expect",
    "glue",
    "judge",
    "layer_matrix",
    "order",
    "record",
    "resample",
]
