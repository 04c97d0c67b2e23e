"""Numbers that the text quotes: a cell computes one, `glue` gives it a name, the prose asks for it by that name.

In the book the number is set into the sentence. In Colab or JupyterLab nothing can set it there, so the cell prints
it under the name that stands in the sentence.
"""

from __future__ import annotations

import os

import numpy as np


def glue(name, value, display=False):
    """Give `value` a name that the text of the book can quote.

    Parameters
    ----------
    name : str
        What the text asks for, as in ``{glue:text}`name:.3f```.
    value : object
        Usually a number; a figure or a table works too.
    display : bool
        Show the value under the cell as well. Outside the book it is always shown.
    """
    if isinstance(value, np.generic):
        value = value.item()  # np.float64(0.2) cannot be set with :.3f
    if os.environ.get("CONSILIENCE_BOOK"):  # set by the build, which has myst_nb
        import myst_nb

        myst_nb.glue(name, value, display=display)
    elif hasattr(value, "_repr_html_") or hasattr(value, "savefig"):
        from IPython.display import display as show

        print(f"{name} =")
        show(value)
    else:
        print(f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}")
