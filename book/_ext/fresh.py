"""A changed metric can never show an old output.

Jupyter's cache knows a chapter's cells, not the package that they call: it would go on showing the numbers of last
week's code. So three things hold here, for `make book` and for a bare `jupyter-book build` alike.

* What is imported is what stands in src/ and data/. If the installed package differs, the build stops and says so.
* The cache lies in a folder named after a fingerprint of that code, of data/, and of every installed package. A change
  anywhere gives a new, empty folder, and each page is read again.
* Pages quote each other's numbers, so when one is read, all are, chapters first and the pages that report on them
  after. Execution is cached, so this costs seconds. After a build with warnings nothing counts as read: the warnings
  come again until their cause is gone.
"""

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path

from sphinx.errors import SphinxError

CHAPTERS = "notebooks/"
REPORTS = ("book/evidence", "book/preface")
GENERATED = "core/_build.py"  # written by CMake: what was compiled, and how


class StalePackage(SphinxError):
    category = "The installed package is not the one in src/"


def files(folder):
    """Every file under `folder` but compiled Python, sorted."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path for path in found if path.suffix not in (".pyc", ".so"))


def fingerprint(root):
    """A hash of all that an output of a chapter can depend on, besides the chapter itself."""
    digest = hashlib.sha256(f"Python {platform.python_version()}".encode())
    for path in [*files(root / "src"), *files(root / "data"), root / "CMakeLists.txt", root / "constraints.txt"]:
        if path.is_file():
            digest.update(f"\n{path.relative_to(root)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    for package in sorted(f"{found.name}=={found.version}" for found in distributions()):
        digest.update(f"\n{package}".encode())
    return digest.hexdigest()[:16]


def differences(root, installed):
    """What makes the package in the folder `installed` another than that of the repository at `root`, in words."""
    source = root / "src" / "consilience"
    if installed.resolve() == source.resolve():
        return []
    pairs = {source / path.relative_to(installed): path for path in installed.rglob("*.py")}
    pairs |= {path: installed / path.relative_to(source) for path in source.rglob("*.py")}
    pairs |= {root / "data" / path.name: path for path in (installed / "data").glob("*.*")}
    pairs |= {path: installed / "data" / path.name for path in (root / "data").glob("*.yaml")}
    pairs.pop(source / GENERATED, None)
    return [
        str((ours if ours.exists() else theirs).relative_to(root if ours.exists() else installed.parent))
        for ours, theirs in sorted(pairs.items())
        if not (ours.is_file() and theirs.is_file() and ours.read_bytes() == theirs.read_bytes())
    ] + newer_than_the_core(root)


def newer_than_the_core(root):
    """Sources of the compiled core that were changed after the package was installed."""
    try:
        package = distribution("consilience")
    except PackageNotFoundError:
        return []
    installed_at = max(path.locate().stat().st_mtime for path in package.files if path.name == "RECORD")
    sources = [*files(root / "src" / "core"), root / "CMakeLists.txt"]
    return [str(path.relative_to(root)) for path in sources if path.is_file() and path.stat().st_mtime > installed_at]


def keep_fresh(app, config):
    root = Path(app.srcdir)
    found = find_spec("consilience")
    if found is None:
        raise StalePackage("consilience is not installed; run `make book`, which installs it.")
    stale = differences(root, Path(found.origin).parent)
    if stale:
        more = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
        raise StalePackage(f"{stale[0]}{more} differs. Run `make book`, which installs it again, or `pip install .`")
    config.fresh_fingerprint = fingerprint(root)
    config.nb_execution_cache_path = str(Path(app.outdir).parent / "cache" / config.fresh_fingerprint)
    tell_the_kernels()


def tell_the_kernels():
    """By the environment, which they inherit: that this is the book, and that its twin without a compiler is no news.

    A warning in a chapter fails the build; this one says that the numbers come more slowly, not that they differ.
    """
    os.environ["CONSILIENCE_BOOK"] = "1"
    ignored = [os.environ.get("PYTHONWARNINGS"), "ignore:The compiled core is missing:UserWarning"]
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, ignored))


def read_all_or_none(app, env, added, changed, removed):
    return env.found_docs if added or changed or removed else []


def chapters_first(app, env, docnames):
    docnames.sort(key=lambda name: (name in REPORTS, not name.startswith(CHAPTERS), name))


def forget_after_warnings(app, exception):
    if app.keep_going and app._warncount:  # after an exception Sphinx forgets by itself
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)


def setup(app):
    app.add_config_value("fresh_fingerprint", "", "env")
    app.connect("config-inited", keep_fresh)
    app.connect("env-get-outdated", read_all_or_none)
    app.connect("env-before-read-docs", chapters_first)
    app.connect("build-finished", forget_after_warnings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
