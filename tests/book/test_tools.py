"""What stands around the build: addresses in one place, the zip, the references."""

import re
import sys
import zipfile
from types import SimpleNamespace

import pytest
import yaml
from pybtex.database import parse_file

from consilience.book import colab


def test_addresses_stand_in_pyproject_alone(root):
    """The build files and the package hold none; what a reader meets first, the README, may hold today's."""
    addresses = tuple(colab.addresses(root).values())
    paths = [root / name for name in ("_config.yml", "Makefile", "CMakeLists.txt", ".ci/run", "CONTRIBUTING.md")]
    paths += [path for folder in ("book", "src", ".github") for path in (root / folder).rglob("*")]
    for path in paths:
        if path.is_file() and path.suffix in {".py", ".yml", ".yaml", ".md", ".cpp", ".js", ".css", ""}:
            assert not [address for address in addresses if address.rstrip("/") in path.read_text()], path
    named = re.findall(r"https://(?:github\.com/[\w-]+/consilience|[\w-]+\.github\.io/)[\w/.-]*", readme(root))
    assert all(address.startswith(addresses) for address in named), named


def readme(root):
    return (root / "README.md").read_text() if (root / "README.md").is_file() else ""


def test_the_citation_agrees_with_pyproject(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == colab.project(root)["version"]
    for key, name in (("repository-code", "Repository"), ("url", "Book")):
        assert citation.get(key, colab.addresses(root)[name]) == colab.addresses(root)[name]


def test_the_theme_gets_the_addresses(root):
    import address

    config = SimpleNamespace(html_theme_options={"logo": {}}, html_baseurl="")
    address.set_addresses(SimpleNamespace(srcdir=root), config)
    assert config.html_theme_options["repository_url"] == colab.addresses(root)["Repository"]
    assert config.html_baseurl == colab.addresses(root)["Book"]
    assert "logo" in config.html_theme_options, "what _config.yml sets is kept"


def test_the_zip_holds_the_book_with_its_fonts_inside(tmp_path, root, monkeypatch):
    monkeypatch.syspath_prepend(root / "book" / "_tools")
    import pack

    html = tmp_path / "html"
    (html / "_static" / "fonts").mkdir(parents=True)
    (html / "index.html").write_text('<link rel="preload" as="font" href="a.woff2"/><h1>Book</h1>')
    (html / "_static" / "fonts" / "a.woff2").write_bytes(b"font")
    (html / "_static" / "a.css").write_text('@font-face { src: url("fonts/a.woff2?v=1") } b { background: url(c.png) }')
    for target in (tmp_path / "one.zip", tmp_path / "two.zip"):
        pack.pack(html, target)
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        assert packed.testzip() is None
        names = set(packed.namelist())
        assert packed.read(f"{pack.NAME}/index.html") == b"<h1>Book</h1>"
        sheet = packed.read(f"{pack.NAME}/_static/a.css").decode()
    assert {f"{pack.NAME}/README.txt", f"{pack.NAME}/index.html"} <= names
    assert "data:font/woff2;base64,Zm9udA==" in sheet and "url(c.png)" in sheet
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    sys.modules.pop("pack")


def test_references_are_complete(root):
    entries = parse_file(root / "book" / "references.bib").entries
    assert {"lu2025survey", "ren2025brainlike", "huh2024", "groger2026", "koepke2026", "kornblith2019"} <= set(entries)
    for key, entry in entries.items():
        assert entry.persons.get("author") and entry.fields.get("title"), key
        assert re.fullmatch(r"(19|20)\d\d", entry.fields["year"]), key
    titles = [entry.fields["title"].lower() for entry in entries.values()]
    assert len(titles) == len(set(titles)), "a work stands twice"


@pytest.mark.parametrize("name", ["sans", "serif", "mono"])
def test_fonts_are_served_from_the_book(root, name):
    fonts = root / "book" / "_static" / "fonts"
    assert (fonts / f"{name}.woff2").read_bytes()[:4] == b"wOF2"
    assert f"fonts/{name}.woff2" in (root / "book" / "_static" / "fonts.css").read_text()
