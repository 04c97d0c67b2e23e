"""``{metric-cards}``: the page of metrics, made from `consilience.catalogue()`, the same cards that the tests read."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

FINDS = {
    "layers": "in small networks, which layer of a network from another seed is the same layer",
    "groups": "among small networks, which were trained on the same task",
    "outputs": "among small networks, which give more different answers",
}


def rows(name, card):
    """A card as (what, words) pairs, in the book's Markdown."""
    from consilience.conventions import CONVENTIONS

    listed = {True: "; ".join, False: lambda _: "–"}
    elsewhere = "; ".join(f"`{library}`: {way.words}" for library, way in CONVENTIONS.get(name, {}).items())
    found = [
        ("Range", card.value_range),
        ("Direction", f"a {card.direction}: {'higher' if card.direction == 'similarity' else 'lower'} is more alike"),
        ("Order", "" if card.symmetric else "X and Y may not change places; `consilience.atlas` computes both orders"),
        ("Unchanged by", listed[bool(card.invariances)](card.invariances)),
        ("Changed by", listed[bool(card.not_invariant)](card.not_invariant)),
        ("By chance", card.null),
        ("Cost", card.cost),
        ("When it misleads", card.misleads),
        ("Does not find", "; ".join(FINDS[what] for what in card.does_not_find)),
        ("Elsewhere", elsewhere and f"{elsewhere} (`consilience.score`)"),
        ("Source", f"{{cite:t}}`{card.source}`"),
    ]
    return [(what, words) for what, words in found if words]


def markdown(name, card):
    """The body of a card, in the book's Markdown."""
    formula = ["```{math}", card.formula.strip(), "```"]
    call = f"`consilience.{name}(X, Y)`"
    table = [":::{list-table}", ":class: metric-card", ":widths: 20 80", ":stub-columns: 1", ""]
    for what, words in rows(name, card):
        first, *more = str(words).strip().splitlines() or ["–"]
        table += [f"* - {what}", f"  - {first}", *(f"    {line}" for line in more)]
    return [call, "", *formula, "", *table, ":::"]


def overview(cards):
    """All metrics at a glance, in the book's Markdown: what each sees, and which changes leave it alone."""
    changes = list(dict.fromkeys(change for card in cards.values() for change in card.invariances + card.not_invariant))
    head = ["Metric", "Sees", "More alike is", *(change[0].upper() + change[1:] for change in changes)]
    lines = [":::{list-table}", ":class: metrics-overview", ":header-rows: 1", ":stub-columns: 1", ""]
    lines += [f"{'*' if i == 0 else ' '} - {word}" for i, word in enumerate(head)]
    for name, card in cards.items():
        row = [
            f"{{ref}}`{name.replace('_', ' ')} <{label_of(name)}>`",
            {"local": "neighbours", "global": "geometry"}[card.scale],
            "higher" if card.direction == "similarity" else "lower",
            *("same" if change in card.invariances else "moves" for change in changes),
        ]
        lines += [f"{'*' if i == 0 else ' '} - {word}" for i, word in enumerate(row)]
    return [*lines, ":::"]


def label_of(name):
    return f"metric-{name.replace('_', '-')}"


class MetricCards(SphinxDirective):
    def run(self):
        import consilience

        cards = consilience.catalogue()
        box = nodes.container(classes=["scroll"])
        self.state.nested_parse(overview(cards), self.content_offset, box)
        return [box, *(self.section(name, card) for name, card in cards.items())]

    def section(self, name, card):
        """A section that a chapter can point at: {ref}`metric-cka`."""
        label = label_of(name)
        section = nodes.section(ids=[label], names=[label])
        section += nodes.title("", card.title)
        standard = self.env.get_domain("std")
        standard.labels[label] = self.env.docname, label, card.title
        standard.anonlabels[label] = self.env.docname, label
        self.state.nested_parse(markdown(name, card), self.content_offset, section)
        return section


def setup(app):
    app.add_directive("metric-cards", MetricCards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
