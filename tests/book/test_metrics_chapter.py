"""The chapter on metrics, run as it stands, and again in worlds and with metrics that are not what it says they are.

What the chapter states must then fall: a sentence that holds whatever the code does says nothing.
"""

import json
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from consilience.book.claims import HOLDS, MIME

CHAPTER = Path(__file__).parents[2] / "notebooks" / "metrics.md"
LISTEN = """
said = {}
def listen(condition, sentence):
    said[sentence] = said.get(sentence, True) and bool(condition)
    return sentence

book.expect = listen
"""
SHUFFLED = """
true_world = book.world

def world(*sizes, seed=0, **knobs):
    seed = seed[0] if isinstance(seed, tuple) else seed  # so all layers of a model are one
    X, Y = true_world(*sizes, seed=seed, **knobs)
    return X, np.random.default_rng(1).permutation(Y)

book.world = world
"""
BROKEN = """
from dataclasses import replace
from functools import partial

from consilience.metrics import CARDS

biased_cka = partial(cs.cka, estimator="biased")
for name in ("cka", "mutual_knn"):
    broken = lambda X, Y, **options: biased_cka(X, Y)
    CARDS[name] = replace(CARDS[name], score=broken)
    setattr(cs, name, broken)
"""


def run(*inserted):
    """Sentences with whether they held, claims by id, and all that was printed."""
    notebook = jupytext.read(CHAPTER)
    imports = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(imports + 1, nbformat.v4.new_code_cell("".join([LISTEN, *inserted])))
    notebook.cells.append(nbformat.v4.new_code_cell("import json; print(json.dumps(said))"))
    nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3", allow_errors=bool(inserted)).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    claims = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    printed = [output["text"] for output in outputs if output.output_type == "stream"]
    return json.loads(printed[-1]), {claim["id"]: claim for claim in claims}, "".join(printed)


@pytest.fixture(scope="module")
def as_it_stands():
    return run()


def test_every_sentence_and_every_claim_holds(as_it_stands):
    sentences, claims, _ = as_it_stands
    assert len(sentences) >= 20 and all(sentences.values())
    assert len(claims) == 4 and {claim["verdict"] for claim in claims.values()} == {HOLDS}


def test_solutions_are_right_and_nothing_is_answered_beforehand(as_it_stands):
    assert as_it_stands[2].count("Right.\n") == as_it_stands[2].count("Not answered yet.") == 3


@pytest.mark.parametrize(
    ("inserted", "flipped", "fallen"),
    [
        (SHUFFLED, {"metrics-gallery", "metrics-search"}, ["No shuffle reaches", "Agreement on kinds", "CKA sees the"]),
        (BROKEN, {"metrics-width", "metrics-gallery", "metrics-fooled"}, ["The same.", "Unrelated", "Agreement on"]),
    ],
    ids=["shuffled", "broken"],
)
def test_what_it_states_falls(as_it_stands, inserted, flipped, fallen):
    sentences, claims, _ = run(inserted)
    assert {name for name, claim in claims.items() if claim["verdict"] != HOLDS} == flipped
    for start in fallen:
        assert any(sentence.startswith(start) and not held for sentence, held in sentences.items()), start
