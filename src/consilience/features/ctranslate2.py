"""Arrays out of a model file of CTranslate2: a binary file of names, shapes and numbers, and nothing that runs.

Little-endian throughout: version, name of the model's kind, revision, number of variables; then for each its
name, rank, shape, type, size in bytes and the bytes. What follows (aliases) is not needed.
"""

from __future__ import annotations

import struct

import numpy as np

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read(data):
    """The variables of a model.bin.

    Parameters
    ----------
    data : bytes-like
        The whole file.

    Returns
    -------
    dict of str to ndarray
        Views of `data`, read-only.

    Raises
    ------
    ValueError
        If `data` ends too early, or holds a type of number that is not known here.
    """
    data, place = memoryview(data), 0

    def number(form):
        nonlocal place
        (value,) = struct.unpack_from("<" + form, data, place)
        place += struct.calcsize("<" + form)
        return value

    def taken(size):
        nonlocal place
        if place + size > len(data):
            raise struct.error("too short")
        place += size
        return data[place - size : place]

    def text():
        return bytes(taken(number("H"))).rstrip(b"\0").decode()

    variables = {}
    try:
        _version, _kind, _revision, count = number("I"), text(), number("I"), number("I")
        for _ in range(count):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            type, size = number("B"), number("I")
            variables[name] = np.frombuffer(taken(size), TYPES[type]).reshape(shape)
    except KeyError as error:
        raise ValueError(f"{name} holds numbers of the unknown type {error}.") from error
    except struct.error as error:
        raise ValueError(f"The model file ends within its {len(variables) + 1}th variable; it is cut short.") from error
    return variables
