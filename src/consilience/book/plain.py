"""MyST in plain Markdown, for a reader that knows no MyST (Colab, JupyterLab).

What the chapters may use is listed in two tables, `ROLES` and `DIRECTIVES`. Anything else is refused by name, so that
no twin can show raw MyST; adding a row teaches the converter another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LABEL = re.compile(r"^\(([\w:.-]+)\)=\s*$|^\s*:?(?:name|label): *([\w:.-]+)\s*$|\$\$ *\(([\w:.-]+)\)\s*$", re.M)
ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")
IMAGE = re.compile(r"!\[([^\]]*)\]\((?!https?:|attachment:)(?:[^)\s]*/)?([^)\s/]+)\)")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:)([^)\s]*)\)")
FENCE = re.compile(r"^(?P<fence>:{3,}|`{3,}|~{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<title>.*)$")
OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$")
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.S)


class PlainError(ValueError):
    """A chapter uses MyST that has no plain form; the message says where, what, and what to do."""


@dataclass(frozen=True)
class Book:
    """What a link or a citation needs to be said in plain Markdown.

    Attributes
    ----------
    root : Path
    addresses : dict
        "Book" and "Repository", from pyproject.toml.
    labels : dict
        Label to page, as "notebooks/vision".
    citations : dict
        Key to (authors, year), as in "Huh et al.", "2024".
    """

    root: Path
    addresses: dict
    labels: dict
    citations: dict

    @classmethod
    def read(cls, root, addresses):
        root = Path(root)
        labels = {}
        for path in sorted([*(root / "book").glob("*.md"), *(root / "notebooks").glob("*.md")]):
            page = path.relative_to(root).with_suffix("").as_posix()
            labels |= {"".join(found): page for found in LABEL.findall(path.read_text())}
        return cls(root, addresses, labels, citations((root / "book" / "references.bib").read_text()))

    def page(self, page, anchor=""):
        return f"{self.addresses['Book'].rstrip('/')}/{page}.html{anchor and '#' + anchor}"

    def label(self, label, where, kind=""):
        if label.startswith("metric-"):  # made by the directive {metric-cards}, so written in no file
            return self.page("book/metrics", label)
        if label not in self.labels:
            raise PlainError(f"{where}: the label {label!r} stands on no page of the book.")
        return self.page(self.labels[label], kind + re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-"))


def citations(bibtex):
    """Authors and year of each entry, as a citation shows them."""
    from pybtex.database import parse_string

    short = {}
    for key, entry in parse_string(bibtex, "bibtex").entries.items():
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [" ".join([*person.prelast_names, *person.last_names]).strip("{}") for person in people]
        several = len(names) > 2 or names[-1:] == ["others"]
        who = f"{names[0]} et al." if several else " and ".join(names) or entry.fields.get("title", key)
        short[key] = (re.sub(r"[{}]", "", who), entry.fields.get("year", ""))
    return short


def plain(text, book, where):
    """`text` without MyST: the Markdown that any reader shows."""
    return re.sub(r"\n{3,}", "\n\n", blocks(text.splitlines(), book, where)).strip()


def blocks(lines, book, where):
    """Directives, targets and comments line by line; ordinary lines go through `inline`."""
    out, prose, index = [], [], 0
    while index < len(lines):
        line = lines[index]
        opened = FENCE.match(line)
        verbatim = re.match(r"^(`{3,}|~{3,})(?!\{)", line)
        if opened or verbatim:
            end = closing(lines, index, (opened or verbatim)[1], where)
            out += [inline("\n".join(prose), book, where)]
            prose = []
            inside = lines[index + 1 : end]
            out += [directive(opened, inside, book, where)] if opened else ["\n".join(lines[index : end + 1])]
            index = end
        elif not (re.match(r"^\([\w:.-]+\)=\s*$", line) or re.match(r"^(%|\+\+\+)", line)):
            prose.append(definition(line, prose))
        index += 1
    return "\n".join([*out, inline("\n".join(prose), book, where)])


def closing(lines, start, fence, where):
    for index in range(start + 1, len(lines)):
        if re.fullmatch(re.escape(fence) + re.escape(fence[0]) + "*", lines[index].strip()):
            return index
    raise PlainError(f"{where}: {lines[start]!r} is never closed.")


def definition(line, before):
    """A definition list, `: ` under its term, as a term in bold and its text."""
    if not line.startswith(": ") or not before or not before[-1].strip():
        return line
    before[-1] = f"**{before[-1].strip()}**  "
    return line[2:]


def inline(text, book, where):
    """Roles and links outside of `code`."""
    out, last = [], 0
    kept = [match for match in CODE.finditer(text) if not re.search(r"\{[a-z:]+\}$", text[: match.start()])]
    for match in kept:
        out += [say(text[last : match.start()], book, where), match.group()]
        last = match.end()
    return "".join([*out, say(text[last:], book, where)])


def say(text, book, where):
    text = re.sub(r"\$\$ *\([\w:.-]+\)[ \t]*$", "$$", text, flags=re.M)  # the label of an equation
    text = IMAGE.sub(lambda match: f"![{match[1]}]({picture(match[2], book)})", text)
    text = LINK.sub(lambda match: link(match[1], match[2], book, where), text)
    return ROLE.sub(lambda match: role(match[1], match[2], book, where), text)


def link(title, target, book, where):
    """[title](#label) and [title](../book/page.md#anchor), pointed at the published book."""
    path, _, anchor = target.partition("#")
    if not path:
        address = book.label(anchor, where)
    elif path.endswith((".md", ".ipynb")):
        page = (book.root / "notebooks" / path).resolve().relative_to(book.root.resolve())
        address = book.page(page.with_suffix("").as_posix(), anchor)
    else:
        raise PlainError(f"{where}: the link ({target}) leads to no page of the book.")
    return f"[{title or path or anchor}]({address})"


def role(name, body, book, where):
    if name not in ROLES:
        raise PlainError(f"{where}: the role {{{name}}} has no plain form; use another, or add it to ROLES.")
    title, _, target = body.rpartition("<")
    title, target = (title.strip(), target.rstrip(">").strip()) if title else ("", body.strip())
    return ROLES[name](title, target, book, where)


def cite(form):
    def say_it(_, keys, book, where):
        if unknown := [key.strip() for key in keys.split(",") if key.strip() not in book.citations]:
            raise PlainError(f"{where}: {unknown[0]!r} is not in book/references.bib.")
        said = [form.format(*book.citations[key.strip()]) for key in keys.split(",")]
        linked = ", ".join(f"[{one}]({book.page('book/references')})" for one in said)
        return linked if "(" in form else f"({linked})"

    return say_it


def refer(word, kind=""):
    def say_it(title, label, book, where):
        return f"[{title.replace('%s', '').strip() or word}]({book.label(label, where, kind)})"

    return say_it


ROLES = {
    "cite": cite("{0}, {1}"),
    "cite:p": cite("{0}, {1}"),
    "cite:t": cite("{0} ({1})"),
    "ref": refer("here"),
    "numref": refer("the figure"),
    "eq": refer("the equation", "equation-"),
    "prf:ref": refer("here"),
    "doc": lambda title, page, book, where: link(title or "this page", page.removesuffix(".md") + ".md", book, where),
    "glue:text": lambda title, target, book, where: f"`{target.rpartition('::')[2].partition(':')[0]}`",
    "term": lambda title, target, book, where: f"[{title or target}]({book.page('book/glossary')})",
    "math": lambda title, target, book, where: f"${target}$",
    "abbr": lambda title, target, book, where: f"{title} ({target})" if title else target,
    "sub": lambda title, target, book, where: f"<sub>{target}</sub>",
    "sup": lambda title, target, book, where: f"<sup>{target}</sup>",
}


def directive(opened, lines, book, where):
    name = opened["name"]
    if name not in DIRECTIVES:
        raise PlainError(f"{where}: the directive {{{name}}} has no plain form; use another, or add it to DIRECTIVES.")
    options, body = split(lines)
    title = inline(opened["title"].strip(), book, where)
    inside = "" if name in ("math", "figure", "image") else blocks(body, book, where).strip()
    return f"\n{DIRECTIVES[name](title, options, inside or chr(10).join(body), book, where)}\n"


def split(lines):
    """The options at the head of a directive, as `:name: value` or between `---`, and its body."""
    if lines[:1] == ["---"]:
        end = lines.index("---", 1)
        options = dict(re.match(r"^([\w-]+): *(.*)$", line).groups() for line in lines[1:end])
        return options, lines[end + 1 :]
    options = {}
    while lines and (found := OPTION.match(lines[0])):
        options[found[1]], lines = found[2].strip(), lines[1:]
    return options, lines


def quoted(head):
    def box(title, options, body, book, where):
        return "\n".join(f"> {line}".rstrip() for line in f"**{title or head}.** {body}".splitlines())

    return box


def boxed(head):
    def box(title, options, body, book, where):
        return f"**{head}{title and f' ({title})'}.** {body}".rstrip()

    return box


def folded(head):
    def box(title, options, body, book, where):
        summary = head if head == "Solution" else title or head
        return f"<details><summary><b>{summary}</b></summary>\n\n{body}\n\n</details>"

    return box


def figure(title, options, body, book, where):
    """A picture of the book, shown from its published page, with its caption and its alternative text."""
    caption = blocks(body.splitlines(), book, where).strip()
    shown = f"![{options.get('alt', '')}]({picture(Path(title).name, book)})"
    return f"{shown}\n\n{caption and f'**Figure.** {caption}'}".rstrip()


def picture(name, book):
    return f"{book.addresses['Book'].rstrip('/')}/_images/{name}"


ADMONITIONS = ("note", "tip", "hint", "important", "warning", "caution", "attention", "seealso", "margin")
DIRECTIVES = {
    **{name: quoted({"seealso": "See also", "margin": "Aside"}.get(name, name.capitalize())) for name in ADMONITIONS},
    "admonition": quoted("Note"),
    "epigraph": lambda title, options, body, book, where: "\n".join(f"> {line}" for line in body.splitlines()),
    "dropdown": folded("More"),
    "exercise": boxed("Exercise"),
    "exercise-start": boxed("Exercise"),
    "exercise-end": lambda title, options, body, book, where: "",
    "solution": folded("Solution"),
    "solution-start": lambda title, options, body, book, where: "**Solution.** Try first; then open the cells below.",
    "solution-end": lambda title, options, body, book, where: "*End of the solution.*",
    "math": lambda title, options, body, book, where: f"$$\n{body.strip()}\n$$",
    "figure": figure,
    "image": figure,
    "bibliography": lambda title, options, body, book, where: f"[The references]({book.page('book/references')})",
}
