"""The C++ core under the compiler's watchmen: memory and undefined behaviour, then races between threads."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "core"
COMPILER = shutil.which("g++")
PARTS = ("multiply", "kernels", "picks", "definition")  # compiled once for each instruction set
INSTRUCTIONS = {
    "generic": ["-DBYTES=16"],
    "avx2": ["-DBYTES=32", "-mavx2", "-mfma"],
    "avx512": ["-DBYTES=64", "-mavx512f", "-mavx512dq", "-mfma"],
}


@pytest.mark.skipif(COMPILER is None or platform.machine() != "x86_64", reason="needs g++ on x86_64")
@pytest.mark.parametrize("watch", ["address,undefined", "thread"])
def test_every_operation_is_clean(tmp_path, watch):
    flags = [
        "-std=c++17",
        "-O1",
        "-g",
        f"-I{SOURCES}",
        f"-fsanitize={watch}",
        "-fno-sanitize-recover=all",
        "-Wno-psabi",
    ]
    objects = []
    for isa, options in INSTRUCTIONS.items():
        for part in PARTS:
            objects.append(tmp_path / f"{part}_{isa}.o")
            command = [*flags, f"-DISA={isa}", *options, "-c", SOURCES / f"{part}.cpp", "-o", objects[-1]]
            subprocess.run([COMPILER, *command], check=True)
    sources = [HERE / "sanitized.cpp", *(path for path in SOURCES.glob("*.cpp") if path.stem not in PARTS)]
    program = tmp_path / "sanitized"
    subprocess.run([COMPILER, *flags, "-pthread", *sources, *objects, "-o", program], check=True)
    found = subprocess.run([program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-3000:]
    assert found.stdout == "clean\n"
