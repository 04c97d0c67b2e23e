"""The metrics, one file a family. Stateless functions: two arrays in, one float out; each with its card."""

from consilience.metrics import kernel, neighborhood
from consilience.metrics.card import Card
from consilience.metrics.kernel import cka
from consilience.metrics.neighborhood import mutual_knn
from consilience.metrics.relation import Relation, product

CARDS = {card.name: card for card in (kernel.CARD, neighborhood.CARD)}


def catalogue():
    """Every metric with its card: a dict from the public name to :class:`consilience.metrics.Card`."""
    return dict(CARDS)


__all__ = ["CARDS", "Card", "Relation", "catalogue", "cka", "mutual_knn", "product"]
