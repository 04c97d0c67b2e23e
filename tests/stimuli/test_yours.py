"""Folders, tables, lists and data sets of one's own become stimuli, with nothing lost or mixed up."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from consilience.check import InputError
from consilience.stimuli import from_dataset, from_folder, from_table, from_texts
from consilience.stimuli.modality import RATE

soundfile = pytest.importorskip("soundfile", reason="sounds are read by soundfile")
COLOURS = {"red": (200, 0, 0), "blue": (0, 0, 200), "green": (0, 200, 0)}
HERTZ = {"red": 200, "blue": 300, "green": 400}


def tone(name):
    return 0.5 * np.sin(2 * np.pi * HERTZ[name] * np.arange(RATE // 4) / RATE)


def pitch(samples):
    return np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples)


@pytest.fixture
def folder(tmp_path):
    """Three pictures, of which two have a sound and one a text, in folders warm and cold, and what does not count."""
    for name, colour in COLOURS.items():
        place = tmp_path / "mine" / ("warm" if name == "red" else "cold")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), colour).save(place / f"{name}.{'PNG' if name == 'red' else 'bmp'}")
        if name != "blue":
            soundfile.write(place / f"{name}.wav", tone(name), RATE)
    (tmp_path / "mine/cold/blue.txt").write_text("Bleu, évidemment.\n", encoding="utf-8")
    (tmp_path / "mine/cold/notes.md").write_text("nothing")
    (tmp_path / "mine/.hidden").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "mine/.hidden/thumb.png")
    return tmp_path / "mine"


def test_files_of_one_name_in_a_folder_are_one_stimulus(folder):
    mine = from_folder(folder, language="fr")
    assert mine.name == "mine" and mine.ids == ("cold/blue", "cold/green", "warm/red")
    assert mine.labels == ("cold", "cold", "warm")
    assert [image.getpixel((0, 0)) for image in mine] == [COLOURS[name] for name in ("blue", "green", "red")]
    assert mine.text(0, "fr") == "Bleu, évidemment."
    assert mine.having("sound").ids == ("cold/green", "warm/red")
    assert [pitch(sound) for sound in mine.having("sound").items("sound")] == [400, 200]
    assert list(mine.problems("text")) == [1, 2]


def test_a_flat_folder_has_no_labels(folder):
    assert from_folder(folder / "cold").labels is None


def test_a_folder_that_cannot_be_read_is_said(folder, tmp_path):
    with pytest.raises(InputError, match="is not there"):
        from_folder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no pictures.*\.png"):
        from_folder(tmp_path / "empty")
    (folder / "cold/blue.txt").write_bytes(b"\xe9videmment")
    with pytest.raises(InputError, match="not in UTF-8"):
        from_folder(folder)
    Image.new("RGB", (4, 3)).save(folder / "warm/red.jpg")
    with pytest.raises(InputError, match="claim one place"):
        from_folder(folder)


def test_a_table_names_files_beside_it(folder):
    rows = {
        "id": ["007", "008", "NA"],
        "image": ["warm/red.PNG", "cold/blue.bmp", "cold/green.bmp"],
        "name": ["red", "blue", ""],
        "nom": ["rouge", "bleu", "vert"],
        "latitude": [0, 10, -20.5],
        "longitude": [5, 6, 7],
        "kind": ["warm", "cold", "cold"],
        "time": [0.5, 1.5, 2.5],
    }
    pd.DataFrame(rows).to_csv(folder / "things.csv", index=False)
    things = from_table(folder / "things.csv", text={"en": "name", "fr": "nom"}, label="kind")
    assert things.name == "things" and things.ids == ("007", "008", "NA")
    assert things.image(1).getpixel((0, 0)) == COLOURS["blue"]
    assert things.texts == {"en": ("red", "blue", None), "fr": ("rouge", "bleu", "vert")}
    assert things.place(2) == (-20.5, 7.0)
    assert things.labels == ("warm", "cold", "cold") and things.times == (0.5, 1.5, 2.5) and things.groups is None
    framed = from_table(pd.DataFrame(rows), folder=folder, text="nom")
    assert framed.sha256("image") == things.sha256("image") and framed.text(2) == "vert"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "No column is called image, text, sound or place.*name, size"),
        ({"text": "nam"}, "no column 'nam' for text"),
        ({"caption": "name"}, "'caption' is nothing that a column can be"),
    ],
)
def test_columns_that_are_not_there_are_said(columns, said):
    with pytest.raises(InputError, match=said):
        from_table(pd.DataFrame({"name": ["a"], "size": [1]}), **columns)


def test_a_table_that_is_none_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a table"):
        from_table(tmp_path / "nowhere.csv")


def test_texts_are_a_list_or_a_list_a_language():
    assert list(from_texts(["a", "b"])) == ["a", "b"] and from_texts(["a", "b"]).ids == ("0", "1")
    both = from_texts({"en": ["one", "two"], "de": ["eins", "zwei"]}, ids=["1", "2"])
    assert both.text(1, "de") == "zwei" and both.text(0) == "one"
    with pytest.raises(InputError, match="one string"):
        from_texts("a")
    with pytest.raises(InputError, match="2 ids but 1 texts in de"):
        from_texts({"en": ["one", "two"], "de": ["eins"]})


@pytest.fixture
def dataset(folder):
    """A data set of the library `datasets` in memory: one picture and one sound from bytes, others from files."""
    datasets = pytest.importorskip("datasets", reason="the adapter is for this library")
    names = list(COLOURS)
    sounds = []
    for name in names:
        file = folder / f"{name}.flac"
        soundfile.write(file, tone(name), RATE)
        sounds.append(
            {"bytes": file.read_bytes(), "path": None} if name == "red" else {"path": str(file), "bytes": None}
        )
    rows = {
        "picture": [Image.new("RGB", (4, 3), COLOURS[name]) for name in names],
        "hum": sounds,
        "kind": ["warm", "cold", "cold"],
        "caption": [f"A {name} thing." for name in names],
        "file": names,
    }
    found = datasets.Dataset.from_dict(rows, info=datasets.DatasetInfo(license="CC0", homepage="nowhere"))
    found = found.cast_column("picture", datasets.Image()).cast_column("hum", datasets.Audio())
    return found.cast_column("kind", datasets.ClassLabel(names=["warm", "cold"]))


def test_a_data_set_of_hugging_face_is_read_row_by_row(dataset):
    found = from_dataset(dataset, name="three", id="file", text={"en": "caption"})
    assert found.ids == ("red", "blue", "green") and found.labels == ("warm", "cold", "cold")
    assert [image.getpixel((0, 0)) for image in found] == list(COLOURS.values())
    assert [pitch(sound) for sound in found.items("sound")] == [200, 300, 400]
    assert found.text(1) == "A blue thing." and (found.licence, found.credit) == ("CC0", "nowhere")
    chosen = from_dataset(dataset.select([2, 0]), text="caption")
    assert chosen.digests("image") == (found.digests("image")[2], found.digests("image")[0])


def test_a_stream_or_a_dictionary_of_splits_is_refused(dataset):
    import datasets

    for wrong in (dataset.to_iterable_dataset(), datasets.DatasetDict(test=dataset), [1]):
        with pytest.raises(InputError, match="one split that is not streamed"):
            from_dataset(wrong)
