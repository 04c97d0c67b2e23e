"""What many tests share: the data sets of the kit, which `make test` fetches first, and others where they are."""

import os
from pathlib import Path

import pytest

from consilience import kit, stimuli


@pytest.fixture(scope="session")
def stamps():
    return stimuli.load("tuxpaint-stamps")


@pytest.fixture(scope="session")
def load():
    """`stimuli.load` for data that no chapter needs: skips where it is not on this machine, for tests fetch nothing."""

    def load(name):
        given = Path(os.environ.get("CONSILIENCE_DATA", "nowhere")) / name
        if not (kit.is_here(name) or given.is_dir()):
            pytest.skip(f"{name} is not on this machine; `consilience kit {name}` fetches it")
        return stimuli.load(name)

    return load
