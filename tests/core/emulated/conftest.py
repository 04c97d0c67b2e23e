"""The CUDA sources run on the CPU, a fiber for each CUDA thread: their logic and arithmetic, without a GPU.

What a test here cannot see: races, and speed. `../test_cuda.py` runs on a GPU.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "src" / "core"
COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


class View(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("type", ctypes.c_int),
        ("n", ctypes.c_int64),
        ("d", ctypes.c_int64),
        ("row_stride", ctypes.c_int64),
        ("column_stride", ctypes.c_int64),
    )


class Library(ctypes.CDLL):
    """The C functions of this folder, and arrays as they take them."""

    @staticmethod
    def views(*arrays):
        """One after the other."""
        kinds = {np.float16: 0, np.uint16: 1, np.float32: 2, np.float64: 3}
        return (View * len(arrays))(
            *(
                View(X.ctypes.data, kinds[X.dtype.type], *X.shape, *(stride // X.itemsize for stride in X.strides))
                for X in arrays
            )
        )

    @staticmethod
    def pointers(*arrays):
        return [None if array is None else array.ctypes.data_as(ctypes.c_void_p) for array in arrays]


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    built = tmp_path_factory.mktemp("emulated") / "emulated.so"
    # No fortified longjmp: it would take a jump to another fiber for an attack.
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-fPIC", "-shared", "-pthread", "-U_FORTIFY_SOURCE"]
    sources = [*HERE.glob("*.cpp"), SOURCES / "pack.cpp"]
    subprocess.run([COMPILER, *flags, f"-I{SOURCES}", *sources, "-o", built], check=True)
    return Library(str(built))


@pytest.fixture(scope="session")
def normal():
    return lambda n, d, dtype: np.random.default_rng([n, d]).standard_normal((n, d)).astype(dtype)
