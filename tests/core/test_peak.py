"""The measure of a core's limit: that it is one. How large it is no test can know."""

import math

import pytest

from consilience.core import roads

compiled = pytest.mark.skipif(roads.compiled is None, reason="the compiled core is not built")


@compiled
@pytest.mark.parametrize("isa", roads.isas())
def test_a_core_does_some_arithmetic(isa):
    assert 0 < roads.compiled.peak(isa) < math.inf


@compiled
def test_an_unknown_instruction_set_is_refused():
    with pytest.raises(ValueError, match="lacks that instruction set"):
        roads.compiled.peak("abacus")
