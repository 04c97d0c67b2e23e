"""The built book: every picture described, nothing fetched from elsewhere, no error shown. Needs `make book`."""

import re
from html.parser import HTMLParser

import pytest

HTML = "_build/html"
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
LINKS_FETCHED = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "modulepreload", "shortcut"}


class Page(HTMLParser):
    """What a page fetches, and its pictures."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.pictures, self.classes, self.identities, self.linked = [], [], set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.classes |= set((found.get("class") or "").split())
        self.identities |= {found["id"]} if found.get("id") else set()
        if tag in FETCHED and found.get(FETCHED[tag]):
            self.fetched.append(found[FETCHED[tag]])
        if tag == "link" and LINKS_FETCHED & set((found.get("rel") or "").split()):
            self.fetched.append(found.get("href", ""))
        if tag == "a" and found.get("href"):
            self.linked.append(found["href"])
        if tag == "img":
            self.pictures.append((found.get("src"), found.get("alt")))


@pytest.fixture(scope="module")
def folder(request):
    html = request.config.rootpath / HTML
    if not (html / "book" / "preface.html").is_file():
        pytest.skip("the book is not built here; run `make book`")
    return html


@pytest.fixture(scope="module")
def pages(folder):
    found = {path: Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    return {path: page for path, page in found.items() if "_static" not in path.parts}


def test_every_picture_is_described(pages):
    bare = [(path.name, source) for path, page in pages.items() for source, alt in page.pictures if not alt]
    assert not bare
    copied = [(path.name, alt) for path, page in pages.items() for source, alt in page.pictures if alt == source]
    assert not copied, "the alternative text is the file's name"
    images = [(path.name, alt) for path, page in pages.items() for source, alt in page.pictures if "_images" in source]
    assert all(len(alt) > 20 for _, alt in images), images


def test_no_page_fetches_anything_from_elsewhere(pages):
    elsewhere = [(path.name, a) for path, page in pages.items() for a in page.fetched if re.match(r"(https?:)?//", a)]
    assert not elsewhere


def test_no_style_sheet_fetches_anything_from_elsewhere(folder):
    away = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])(?:https?:)?//")
    assert not [path.name for path in folder.rglob("*.css") if away.search(path.read_text())]


def test_what_a_page_fetches_is_there(folder, pages):
    gone = []
    for path, page in pages.items():
        for address in page.fetched:
            local = address.partition("#")[0].partition("?")[0]
            if local and not local.startswith("data:") and not (path.parent / local).resolve().is_file():
                gone.append((path.name, address))
    assert not gone


def test_links_within_the_book_lead_somewhere(pages):
    known = {path.resolve(): page.identities for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for address in page.linked:
            local, _, anchor = address.partition("#")
            if re.match(r"[a-z]+:", address) or address in ("", "#"):
                continue
            target = (path.parent / local).resolve() if local else path.resolve()
            if target.suffix == ".html" and (target not in known or (anchor and anchor not in known[target])):
                broken.append((path.name, address))
    assert not broken


def test_no_page_shows_an_error(pages):
    assert not [path.name for path, page in pages.items() if page.classes & {"traceback", "stderr", "system-message"}]


def test_formulas_are_drawn_by_the_book_itself(folder):
    assert (folder / "_static/mathjax/tex-mml-chtml.js").is_file()
    assert list((folder / "_static/mathjax/output/chtml/fonts/woff-v2").glob("*.woff"))
