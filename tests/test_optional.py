"""A missing library is named, with the command that installs it; a missing data file is named too."""

import pytest

from consilience.data_files import data_path
from consilience.optional import bring


def test_a_missing_library_says_how_to_install_it():
    with pytest.raises(ImportError, match=r'no_such_library.*pip install "consilience\[chapters\]"'):
        bring("no_such_library")


def test_the_extra_that_brings_it_is_named():
    with pytest.raises(ImportError, match=r'"consilience\[gguf\]"'):
        bring("no_such_library", "gguf")


def test_a_library_that_is_here_is_brought():
    assert bring("os.path").join("a", "b").endswith("b")


def test_a_missing_data_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"data/no_such\.yaml is missing"):
        data_path("no_such.yaml")
