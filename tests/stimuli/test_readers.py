"""Each reader on tiny files in its format, made here by other means than it reads them."""

import hashlib
import json
import zlib

import numpy as np
import pytest

from consilience import data_files, stimuli
from consilience.stimuli import (
    capitals,
    haxby_slice,
    kriegeskorte92,
    spoken_digits,
    tuxpaint_speech,
    tuxpaint_stamps,
    verses,
)

ROW = {"licence": "none", "credit": "nobody"}


def sword(folder, testament, entries):
    """Write a testament as a SWORD module; each entry a (block, text)."""
    folder.mkdir(exist_ok=True)
    blocks, index, packed = b"", b"", b""
    for number in sorted({block for block, _ in entries}):
        texts = [text.encode() for block, text in entries if block == number]
        start = 0
        for text in texts:
            index += number.to_bytes(4, "little") + start.to_bytes(4, "little") + len(text).to_bytes(2, "little")
            start += len(text)
        pressed = zlib.compress(b"".join(texts))
        sizes = (len(packed), len(pressed), start)
        blocks += b"".join(size.to_bytes(4, "little") for size in sizes)
        packed += pressed
    for ending, data in {"bzs": blocks, "bzv": index, "bzz": packed}.items():
        (folder / f"{testament}.{ending}").write_bytes(data)


def chapter(name):
    return f'<div sID="x"/><chapter n="1" osisID="{name}" sID="{name}"/> '


def test_verses_meet_by_book_chapter_and_verse(tmp_path):
    note = '<note placement="foot"><reference>1:1 </reference>A note.</note>'
    english = [
        (0, ""),
        (0, '<milestone type="x-importer"/>'),
        (1, '<div type="book" osisID="Gen"/><title>Genesis</title>'),
        (1, chapter("Gen.1")),
        (1, f'In the <w lemma="strong:H1">beginning</w>{note}God made &amp; saw. '),
        (1, f"It was good{note}, “very good{note}.” "),
        (1, ""),
        (1, chapter("Gen.2")),
        (1, "The end."),
        (1, chapter("Gen.3")),
        (1, "Counted otherwise."),
    ]
    spanish = [
        (0, ""),
        (0, chapter("Gen.1")),
        (0, "En el principio. "),
        (1, "Era bueno."),
        (1, "Más."),
        (1, chapter("Gen.2")),
        (1, "El fin."),
        (1, chapter("Gen.3")),
        (1, "Otro."),
    ]
    last = '<title>Amen</title>Amen. <div sID="g" type="glossary"/> <title>Glossary</title> Of words.'
    for name, entries in {"first": english, "second": spanish}.items():
        sword(tmp_path / name, "ot", entries)
        sword(tmp_path / name, "nt", [(0, chapter("Rev.1")), (0, last)])
    row = {**ROW, "modules": {"en": "first", "es": "second"}, "divided_otherwise": ["Gen.3"]}
    found = verses.read("tiny", row, tmp_path)
    assert found.ids == ("Gen.1.1", "Gen.1.2", "Gen.2.1", "Rev.1.1")
    assert found.texts["en"] == (
        "In the beginning God made & saw.",
        "It was good, “very good.”",
        "The end.",
        "Amen.",
    )
    assert found.texts["es"] == ("En el principio.", "Era bueno.", "El fin.", "Amen.")
    assert found.groups == ("Gen", "Gen", "Gen", "Rev")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The folder where the package looks for data/."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(data_files, "PLACES", (tmp_path / "data",))
    return tmp_path / "data"


def test_captions_and_recordings_of_stamps(tmp_path, data, monkeypatch):
    digits = {text: hashlib.sha256(text.encode()).hexdigest()[:6] for text in ("Un canard.", "Eine Ente.", "Un œuf.")}
    (data / "stamps.sha256").write_text("".join(f"0  farm/{n}.{e}\n" for n in ("egg", "duck") for e in ("png", "txt")))
    table = [
        "# a remark",
        "stamp\tfr\tde",
        f"farm/duck\t{digits['Un canard.']}\t",
        f"farm/egg\t{digits['Un œuf.']}\t123456",
    ]
    (data / "captions.tsv").write_text("\n".join(table))
    (data / "speech.tsv").write_text("stamp\t_desc_fr.ogg\t_desc.ogg\t.ogg\nfarm/duck\tab cd\t\tef\n")
    (tmp_path / "stamps/farm").mkdir(parents=True)
    (tmp_path / "stamps/farm/duck.txt").write_text(
        " A duck. \nfr.utf8=Un canard.\nde.utf8=Eine Ente.\n", encoding="utf-8"
    )
    (tmp_path / "stamps/farm/egg.txt").write_text(
        "An egg.\r\n\tfr.utf8 =Un œuf.\r\nde.utf8=Ein Ei.\n", encoding="utf-8"
    )
    row = {**ROW, "manifest": "stamps.sha256", "captions": "captions.tsv"}
    stamps = tuxpaint_stamps.read("tiny", row, tmp_path / "stamps")
    assert stamps.ids == ("farm/duck", "farm/egg") and stamps.labels == ("farm", "farm")
    assert stamps.texts["en"] == ("A duck.", "An egg.")
    assert stamps.texts["fr"] == ("Un canard.", "Un œuf.")
    assert stamps.texts["de"] == (None, None), "one was not promised, the other is another"

    monkeypatch.setattr(tuxpaint_speech.kit, "row", lambda name: row)
    monkeypatch.setattr(tuxpaint_speech.kit, "get", lambda name: tmp_path / "stamps")
    spoken = {**ROW, "pictures": "stamps", "manifest": "speech.tsv"}
    speech = tuxpaint_speech.read("tiny", spoken, tmp_path / "speech")
    assert speech.sounds == {
        "fr": (tmp_path / "speech/farm/duck_desc_fr.ogg", None),
        "en": (None, None),
        "zxx": (tmp_path / "speech/farm/duck.ogg", None),
    }
    assert speech.texts == stamps.texts and speech.images == stamps.images
    assert data_files.manifest("speech.tsv") == {"farm/duck_desc_fr.ogg": "ab cd", "farm/duck.ogg": "ef"}


def test_a_capital_is_the_largest_city_of_its_name(tmp_path):
    def city(name, people, country="AA", also=()):
        place = {"latitude": people / 1000, "longitude": -1.5}
        return {"name": name, "population": people, "countrycode": country, "alternatenames": list(also), **place}

    countries = {
        "AA": {"iso": "AA", "name": "Aland", "capital": "Alpha", "continentcode": "EU"},
        "BB": {"iso": "BB", "name": "Beland", "capital": "Beta", "continentcode": "AS"},
        "CC": {"iso": "CC", "name": "Celand", "capital": "", "continentcode": "AS"},
    }
    cities = [city("Alpha", 20), city("Alpha", 30), city("Beta", 99), city("Bèta", 7, "BB", also=["Beta"])]
    for name, rows in {"countries": countries, "cities": {str(i): c for i, c in enumerate(cities)}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    found = capitals.read("tiny", {**ROW, "files": {"countries.json": "", "cities.json": ""}}, tmp_path)
    assert found.ids == ("AA", "BB") and found.labels == ("EU", "AS")
    assert list(found.items("text")) == ["Alpha, Aland", "Bèta, Beland"]
    assert list(found.items("place")) == [(0.03, -1.5), (0.007, -1.5)]


def test_digits_tell_speaker_and_word(tmp_path, data):
    (data / "digits.sha256").write_text("0  7_theo_1.wav\n0  0_jackson_12.wav\n")
    found = spoken_digits.read("tiny", {**ROW, "manifest": "digits.sha256"}, tmp_path)
    assert found.ids == ("0_jackson_12", "7_theo_1") and found.labels == (0, 7)
    assert found.groups == ("jackson", "theo") and found.texts["en"] == ("zero", "seven")
    assert found.sounds["en"][1] == tmp_path / "7_theo_1.wav"


def test_objects_and_their_dissimilarities(tmp_path):
    from scipy.io import savemat
    from scipy.spatial.distance import pdist, squareform

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 5, 4, 3), dtype=np.uint8)
    objects = [{"category": kind, "image": image} for kind, image in zip("abb", pictures, strict=True)]
    rdms = [pdist(rng.standard_normal((3, 9))) for _ in range(6)]
    named = [{"name": "x", "RDM": rdm} for rdm in rdms]
    savemat(
        tmp_path / kriegeskorte92.STIMULI, {"stimuli_92objs": struct(objects), "RDMs_mIT_hIT_fig1": struct(named[:2])}
    )
    savemat(tmp_path / kriegeskorte92.BRAINS, {"RDMs": struct(named[2:6]).reshape(1, 2, 2)})
    judged = struct([{"RDM": squareform(rdm)} for rdm in rdms[:3]])
    savemat(tmp_path / kriegeskorte92.JUDGED, {"rdms_behav_92": judged})
    found = kriegeskorte92.read("tiny", {**ROW, "shown": False}, tmp_path)
    assert found.labels == ("a", "b", "b") and found.ids == ("object1", "object2", "object3") and not found.shown
    np.testing.assert_array_equal(found.image(2), pictures[2])
    answers = kriegeskorte92.responses(ROW, tmp_path)
    np.testing.assert_array_equal(answers["monkey IT"], squareform(rdms[0]))
    np.testing.assert_array_equal(answers["human IT"], squareform(rdms[1]))
    np.testing.assert_array_equal(answers["human IT by session"][1, 0], squareform(rdms[4]))
    np.testing.assert_array_equal(answers["judged"], [squareform(rdm) for rdm in rdms[:3]])


def struct(rows):
    """MATLAB's array of structs, of shape (1, n)."""
    array = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def test_a_slice_of_a_brain(tmp_path):
    nibabel = pytest.importorskip("nibabel", reason="NIfTI is read by nibabel")
    rng = np.random.default_rng(0)
    bold = rng.integers(0, 2000, (4, 3, 1, 6), dtype=np.int16)
    mask = np.zeros((4, 3, 1), np.int16)
    mask[1, 2], mask[0, 1] = 1, 1
    for name, volume in {"bold": bold, "mask": mask}.items():
        nibabel.Nifti1Image(volume, np.eye(4)).to_filename(tmp_path / f"{name}.nii.gz")
    kinds = ["rest", "face", "face", "rest", "shoe", "shoe"]
    lines = [f"{kind} {run}" for kind, run in zip(kinds, [0, 0, 0, 1, 1, 1], strict=True)]
    (tmp_path / "attributes_literal.txt").write_text("\n".join(lines))
    found = haxby_slice.read("tiny", ROW, tmp_path)
    assert found.labels == tuple(kinds) and found.groups == (0, 0, 0, 1, 1, 1)
    assert found.times == (0, 2.5, 5, 0, 2.5, 5) and found.ids[3] == "run1-volume0"
    answers = haxby_slice.responses(ROW, tmp_path)
    np.testing.assert_array_equal(answers["voxels"], [[0, 1, 0], [1, 2, 0]])
    np.testing.assert_array_equal(answers["bold"], np.stack([bold[0, 1, 0], bold[1, 2, 0]], 1))
    assert answers["bold"].dtype == np.float32


def test_responses_are_told_from_stimuli(load):
    load("spoken-digits")
    with pytest.raises(stimuli.kit.KitError, match="spoken-digits has stimuli alone"):
        stimuli.responses("spoken-digits")
