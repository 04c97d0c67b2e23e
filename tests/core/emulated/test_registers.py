"""No kernel may need more registers than there are: it would wait for memory instead."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[3] / "src" / "core" / "cuda").glob("*.cu"))


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_compiles_without_spilling_registers(source, tmp_path):
    gpus = ["-gencode", "arch=compute_80,code=[sm_80,sm_90]"]
    command = ["nvcc", "-std=c++17", "-O3", "--fmad=false", *gpus, "-Xptxas", "-v", "-fatbin"]
    made = subprocess.run([*command, source, "-o", tmp_path / "fatbin"], capture_output=True, text=True, check=True)
    spills = [line for line in made.stderr.splitlines() if "spill stores" in line]
    assert spills
    assert all(" 0 bytes spill stores, 0 bytes spill loads" in line for line in spills)
