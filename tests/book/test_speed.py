"""The page on speed says what the records say, and nothing else; of records made for the purpose."""

import json
import re
from itertools import product

import pytest

pytest.importorskip("seaborn")
import speed
import speed_records

NAMES = re.compile(r"float\d+|AVX-?\d+|\d+-bit|\d+-NN|\d+ bits|10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|version-\S+|fig-\S+|/\S+\.png|`[^`]*`")
OURS, FAST, SLOW = "consilience", "faiss-cpu", "scikit-learn"


def run(n, contender, cpu, setting="stock", threads=1, **more):
    spread = {"cpu_seconds": cpu, "cpu_seconds_min": 0.99 * cpu, "cpu_seconds_max": 1.01 * cpu}
    wall = {"wall_seconds": cpu / threads, "wall_seconds_min": cpu / threads, "wall_seconds_max": cpu / threads}
    gflop = 1.7e-6 * n * n
    made = {"n": n, "contender": contender, "setting": setting, "threads": threads, "repeats": 5, "extra_mb": 23.0}
    made |= {"gflop": gflop, "share_of_peak": gflop / (cpu * 190), "score": 0.0625, "error": 0.0, "stopped": None}
    return made | spread | wall | more


def record(*runs, **more):
    return {
        "task": "mutual 10-NN, two sets",
        "n_name": "stimuli",
        "date": "version-of-the-day",
        "machine": {"cpu": "Some processor", "processors": 7, "memory_gb": 31.0, "system": "Some system"},
        "load": 0.4,
        "peak_gflops": {"avx512": 190.0, "avx2": 110.0},
        "products": [{"library": "numpy", "setting": "stock", "gflops": 83.0}],
        "best": {},
        "versions": {OURS: "version-a", FAST: "version-b"},
        "options": {"k": 10, "repeats": 5},
        "score": "mutual k-NN",
        "digits": 4,
        "error": "wrong neighbours",
        "runs": list(runs),
    } | more


def ours(n, cpu, **more):
    return run(n, OURS, cpu, "avx512", **more)


WON = record(
    ours(1000, 0.029, extra_mb=1.9),
    run(1000, FAST, 0.067),
    ours(3000, 0.26, error=4.1e-10),
    ours(3000, 0.26, threads=2) | {"wall_seconds": 0.14},
    run(3000, OURS, 0.47, "avx2"),
    run(3000, "consilience, every tile", 0.39, "avx512"),
    run(3000, FAST, 0.53, extra_mb=77.0, error=0.0031),
    run(3000, SLOW, 1.3, extra_mb=370.0, error=0.052),
)


@pytest.fixture
def page(tmp_path, root):
    """The page's Markdown of the given records; its figures are drawn and thrown away."""

    def make(**records):
        for name, content in records.items():
            (tmp_path / f"{name.replace('gpu_', 'gpu-')}.json").write_text(json.dumps(content))
        text = speed.rendered((root / f"{speed.PAGE}.md").read_text(), tmp_path, draw)
        return text.replace("\N{NO-BREAK SPACE}", " ")

    def draw(name, figure):
        speed.speed_figures.plt.close(figure)
        return f"/{name}.png"

    return make


def test_no_number_is_typed_into_the_page(root):
    template = (root / f"{speed.PAGE}.md").read_text()
    typed = re.sub(r"\{%.*?%\}", " ", re.sub(r"\{\{ [a-z].*?\}\}", " ", template, flags=re.S), flags=re.S)
    assert not re.findall(r"\d+", NAMES.sub(" ", typed))
    said = re.findall(r'"([^"]*)"', template)  # what is handed to a macro is as good as typed
    assert said and not [words for words in said if re.search(r"\d", NAMES.sub(" ", words))]


def test_every_number_of_the_page_follows_from_the_record(page):
    """By another arithmetic than the page's: each number shown is one of the record, a quotient of two of a kind, the
    arithmetic at the peak, or a matrix of n² numbers; rounded, in some unit."""
    runs = WON["runs"]
    values = [WON["load"], *WON["peak_gflops"].values(), *(p["gflops"] for p in WON["products"])]
    values += [v for v in (*WON["machine"].values(), *WON["options"].values()) if isinstance(v, int | float)]
    values += [v for r in runs for v in r.values() if isinstance(v, int | float)]
    values += [a[key] / b[key] for a, b in product(runs, runs) for key in ("cpu_seconds", "wall_seconds")]
    values += [r["gflop"] / 190 for r in runs] + [4e-6 * r["n"] ** 2 for r in runs]
    possible = {0.0, 1.0} | {
        float(f"{value * unit:.{count}g}") for value in values for unit in (1, 100, 1e3, 1e-3) for count in (1, 2, 3, 5)
    }
    shown = NAMES.sub(lambda name: " " * len(name[0]), page(neighbors=WON))
    shown = re.sub(r"(\d\.\d)·", r"\1 ", shown)  # of 4.1·10⁻¹⁰ only the digits are looked at
    possible |= {float(f"{value:.1e}".partition("e")[0]) for value in values if value}
    numbers = [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", shown)]
    assert len(numbers) > 60
    assert not [number for number in numbers if not any(abs(number - p) <= 1e-9 * abs(p) for p in possible)]


def test_the_winner_is_named_with_its_quotients(page):
    text = page(neighbors=WON)
    assert "At n = 3,000 Consilience took 0.26 s, 31 % of the limit." in text
    assert "The fastest of the others, faiss-cpu, took 0.53 s: 2.0 times as long." in text
    assert "1.8 times as long" in text and "1.5 times as long" in text  # without AVX-512, without symmetry
    assert "0.26 s by the wall clock on one thread, 0.14 s on 2 threads: 1.9 times as fast" in text
    assert "0.052 for scikit-learn" in text and "4.1·10⁻¹⁰ for Consilience" in text
    assert "was a peer faster" in text


@pytest.mark.parametrize(
    ("peer", "title"),
    [
        (0.6, "Faster than every peer: the fastest takes 2.0 times as long"),
        (0.303, "Level with faiss-cpu"),
        (0.24, "faiss-cpu is the fastest at n = 3,000: 0.80 times our seconds"),
    ],
)
def test_a_title_claims_only_what_the_record_holds(peer, title):
    made = speed_records.Record("neighbors", record(ours(3000, 0.3), run(3000, FAST, peer)))
    assert speed.speed_words.race(made).startswith(title)


def test_a_title_says_from_where_on_it_holds():
    runs = [ours(1000, 0.03), ours(3000, 0.3), run(1000, FAST, 0.01), run(3000, FAST, 0.6)]
    made = speed_records.Record("neighbors", record(*runs))
    said = speed.speed_words.race(made)
    assert said == "Faster than every peer from n = 3,000 on; below, faiss-cpu is faster"


def test_a_faster_peer_is_called_faster(page):
    text = page(neighbors=record(ours(3000, 0.3), run(3000, FAST, 0.15)))
    assert "0.50 times as long, so it is faster" in text
    assert "Mutual k-NN, n = 3,000: less time, ours being 1: faiss-cpu 0.50." in text
    assert "was a peer faster" not in text and "Faster than every peer" not in text


def test_a_peer_is_taken_at_its_best(page):
    runs = ours(3000, 0.3), run(3000, FAST, 0.9), run(3000, FAST, 0.6, "best")
    text = page(neighbors=record(*runs, best={"OPENBLAS_CORETYPE": "Haswell"}))
    assert "faiss-cpu at its best setting, took 0.60 s: 2.0 times as long" in text
    assert "`OPENBLAS_CORETYPE=Haswell`" in text and "0.90 s" not in text


def test_what_was_not_run_is_not_shown(page):
    assert "Nothing has been timed yet" in page()
    text = page(neighbors=record(ours(3000, 0.3), run(3000, FAST, 0.6)))
    assert "How long for exact neighbours?" in text
    for absent in ("kernel's alignment?", "voxel?", "twice as fast?", "trick buy?", "digits are right?"):
        assert absent not in text
    stopped = {"n": 3000, "contender": SLOW, "setting": "stock", "threads": 1, "stopped": "out of memory"}
    assert "scikit-learn stopped at n = 3,000: out of memory." in page(neighbors=record(ours(3000, 0.3), stopped))
    assert "## some other task" in page(another=record(ours(3000, 0.3), task="some other task"))


def test_all_pairs_are_compared_with_only_where_n_are_stimuli(page):
    runs = ours(1000, 0.03), run(1000, FAST, 0.06), ours(3000, 0.3), run(3000, FAST, 0.6)
    assert "One n × n matrix in float32 would be 36 MB" in page(neighbors=record(*runs))
    text = page(neighbors=record(*runs, n_name="voxels"))
    assert "matrix in float32" not in text and "weighs" not in text and "the number of voxels" in text


def test_a_gpu_is_spoken_of_when_one_was_there(page):
    assert "No run on a GPU is recorded" in page(neighbors=WON)
    runs = run(3000, OURS, 0.3, "bf16", extra_mb=None), run(3000, "torch in tf32", 0.9, extra_mb=None)
    text = page(gpu_neighbors=record(*runs, peak_gflops={"bf16": 4e5}, clock="time on the wall clock"))
    assert "No run on a GPU is recorded" not in text and "torch in tf32, took 0.90 s" in text
    assert "Time on the wall clock: median" in text


def test_every_figure_is_described_and_has_a_caption(page):
    figures = re.findall(r"```\{figure\} (\S+)\n:name: \S+\n:alt: (.+)\n(?::.+\n)+\n(.+)\n```", page(neighbors=WON))
    assert {path for path, _, _ in figures} == {"/shares.png", "/neighbors.png", "/neighbors-errors.png"}
    assert all(len(alt) > 60 and len(caption) > 40 for _, alt, caption in figures)
