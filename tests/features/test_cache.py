"""What the command line says of the cache of features, and what it removes from it."""

import os
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from consilience.cli import app
from consilience.features import cache, store

WIDE = {"COLUMNS": "200"}
run = CliRunner(env=WIDE).invoke


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_CACHE", str(tmp_path))
    return tmp_path / "features"


def entry(model):
    return store.entry({"model": model, "stimuli": "ab" * 32, "aside": {"stimuli": "stamps"}})


def make(model, used, rows=100, n=100):
    """Features of n stimuli (0.1 MB for 100), last used `used` seconds after another; or the first rows of them."""
    made = entry(model)
    try:
        with made.writing(n) as writing:
            writing.append({"a": np.ones((rows, 50)), "b": np.ones((rows, 200))})
            if rows < n:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        for part in made.partial.iterdir():
            os.utime(part, (1e9 + used,) * 2)
        return made.partial
    os.utime(made.path, (1e9 + used,) * 2)
    return made.path


def names(folder):
    return {path.name.rsplit("-", 1)[0] for path in folder.glob("[!.]*")}


def spoil(path):
    whole, stat = path.read_bytes(), path.stat()
    path.write_bytes(whole[:-1] + b"\0")
    os.utime(path, (stat.st_mtime, stat.st_mtime))


def test_an_empty_cache_is_listed():
    found = run(app, ["cache"])
    assert found.exit_code == 0 and "0 of 0 in" in found.output
    assert "Nothing needs to go" in run(app, ["cache", "prune", "1MB"]).output


def test_the_list_says_what_is_there(folder):
    make("first", 1)
    make("second", 2, rows=30)
    make("third", 3).write_bytes(b"cut")
    (folder / "vit-0123.npz").write_bytes(b"of the Vision chapter")
    found = run(app, ["cache"])
    assert found.exit_code == 0
    for line in (
        r"first +│ stamps +│ +2 │ +100 │ +0\.1 │ 2001-09-09 \d\d:46 │ whole",
        r"second +│ stamps +│ +2 │ +100 │ +0\.1 │ .* │ interrupted after 30 of 100 rows",
        r"third-\w+ +│ unknown +│ .* │ broken: it is cut short",
        r"vit-0123 +│ .* │ of an older version",
    ):
        assert re.search(line, found.output), line


def test_verify_reads_every_byte(folder):
    make("good", 1)
    assert run(app, ["cache", "verify"]).exit_code == 0
    spoil(make("bad", 2))
    assert not any(one.broken for one in cache.listed()), "lengths and headers are right"
    found = run(app, ["cache", "verify"])
    assert found.exit_code == 1
    assert re.search(r"good .*│ whole", found.output) and re.search(r"bad .*│ broken: its bytes", found.output)


def test_reading_makes_features_recent():
    make("first", 1)
    make("second", 2)
    assert [one.model for one in cache.listed()] == ["first", "second"]
    entry("first").read()
    assert [one.model for one in cache.listed()] == ["second", "first"]


def test_the_least_recently_used_goes_first_and_only_when_it_must(folder):
    for used, model in enumerate(("oldest", "older", "newer", "newest")):
        make(model, used, rows=30 if model == "older" else 100)
    found = run(app, ["cache", "prune", "0.25MB"], input="n\n")
    assert "oldest" in found.output and re.search(r"older .*interrupted", found.output)
    assert "new" not in found.output.split("Remove these?")[0].split("rows")[-1] and len(names(folder)) == 4
    found = run(app, ["cache", "prune", "0.25MB", "--yes"])
    assert "2 removed; 0.2 MB are free again" in found.output
    assert names(folder) == {"newer", "newest"}
    assert "Nothing needs to go" in run(app, ["cache", "prune", "0.25MB"]).output


def test_without_a_size_only_what_no_run_will_read_goes(folder):
    make("whole", 1)
    make("begun", 2, rows=30)
    make("broken", 3).write_bytes(b"")
    (folder / "vit-0123.npz").touch()
    run(app, ["cache", "prune", "--yes"])
    assert names(folder) == {"whole", "begun"}


def test_what_is_being_written_stays(folder):
    make("done", 1)
    with entry("begun").writing(2) as rows:
        rows.append({"a": np.ones((1, 50_000))})
        assert [one.state for one in cache.listed()] == ["whole", "being written"]
        asked_before = [cache.replace(one, state="interrupted after 0 of 2 rows") for one in cache.listed()]
        run(app, ["cache", "prune", "0MB", "--yes"])
        assert names(folder) == {"begun"}
        assert cache.remove(asked_before[1:]) == [], "it began while the list was looked at"
        rows.append({"a": np.ones((1, 50_000))})
    assert entry("begun").read()["a"].shape == (2, 50_000)


@pytest.mark.parametrize("size", ["much", "5 parsecs", "GB", "1..2MB", "-1GB"])
def test_a_size_that_is_none_is_refused_in_one_line(size):
    found = run(app, ["cache", "prune", "--", size])
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1 and "500MB or 2GB" in found.stderr
