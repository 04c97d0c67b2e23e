"""What the chapters share: claims and their verdicts, controls, figures, checked exercises, numbers for the text."""

from consilience.book.checks import check
from consilience.book.claims import Claim, Evidence, above_chance, above_control, judge, measured, record
from consilience.book.controls import UNTRAINED, controls, evidence, excess, resample, rungs
from consilience.book.cost import cost
from consilience.book.expect import expect
from consilience.book.glue import glue
from consilience.book.order import order
from consilience.book.scale import random_galleries, scale
from consilience.book.world import world

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
    "excess",
    "expect",
    "glue",
    "judge",
    "measured",
    "order",
    "random_galleries",
    "record",
    "resample",
    "rungs",
    "scale",
    "world",
]
