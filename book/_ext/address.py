"""The addresses of the repository and of the published book, out of pyproject.toml, where alone they stand.

Sets what the theme makes of them: the repository buttons, the canonical links, and the Colab button, which points at
the notebook that lies beside each chapter.
"""

from pathlib import Path

from consilience.book.colab import addresses

COLAB = "https://colab.research.google.com"
BRANCH = "main"


def set_addresses(app, config):
    address = addresses(Path(app.srcdir))
    config.html_baseurl = address["Book"]
    config.html_theme_options |= {
        "repository_url": address["Repository"],
        "repository_branch": BRANCH,
        "path_to_docs": "",
        "launch_buttons": {"colab_url": COLAB},
        "use_repository_button": True,
        "use_edit_page_button": True,
        "use_issues_button": True,
    }


def setup(app):
    app.connect("config-inited", set_addresses, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
