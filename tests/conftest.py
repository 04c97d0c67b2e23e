"""What many tests share: the pictures of the kit, which `make test` fetches first."""

import pytest

from consilience import stimuli


@pytest.fixture(scope="session")
def stamps():
    return stimuli.load("tuxpaint-stamps")
