"""The clients that bring files: pip, apt, and the Hugging Face hub, which know where their registries are; and GitHub.

Nothing that comes is installed or imported, and no build script runs: a wheel is a zip file and a Debian
package an archive, and only files that a row of data/ lists, by SHA-256, are taken out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from .contents import ContentError, digest, gather
from .data_files import manifest
from .optional import bring

# What is taken of a repository of the hub: never code, never pickled weights.
FROM_HUB = ("*.json", "*.txt", "*.model", "*.jinja", "model.safetensors", "model-*-of-*.safetensors")
WHY = {
    "GatedRepoError": "it is gated. Accept its terms on its page of the hub, then log in with `hf auth login`.",
    "RepositoryNotFoundError": "there is no such repository, or it is private. Look at the spelling of owner/name.",
    "RevisionNotFoundError": "it has no such revision. Look for the commit on its page of the hub.",
    "LocalEntryNotFoundError": "it is not here yet, and the hub cannot be reached, or HF_HUB_OFFLINE forbids it.",
    "OfflineModeIsEnabled": "it is not here yet, and HF_HUB_OFFLINE forbids to fetch it.",
}


class RegistryError(RuntimeError):
    """A client that is missing or could not bring the file; the message says which, and what to do."""


def from_wheel(row, into, work):
    """The listed files of a row's wheels, fetched by pip into the folder `work` and unzipped into `into`."""
    for wheel in wheels(row):
        with zipfile.ZipFile(downloaded(wheel, work)) as archive:
            for path in row["files"].keys() & set(archive.namelist()):
                archive.extract(path, into)


def wheels(row):
    """The wheels of a row: one, or several that each carry a part."""
    return row["wheel"] if isinstance(row["wheel"], list) else [row["wheel"]]


def downloaded(wheel, work):
    """The path of a verified wheel. What Python and machine it asks for does not matter to files that only are read."""
    requirement, platform = f"{wheel['package']}=={wheel['version']}", Path(wheel["file"]).stem.rpartition("-")[2]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    any_python = ["--ignore-requires-python", "--platform", platform]
    run([*pip, *any_python, "--no-deps", "--only-binary=:all:", "--dest", ".", requirement], work)
    file = Path(work) / wheel["file"]
    if not file.is_file():
        came = ", ".join(path.name for path in Path(work).iterdir()) or "nothing"
        raise RegistryError(f"pip brought {came} for {requirement}; expected {wheel['file']}.")
    found = digest(file)
    if found != wheel["sha256"]:
        raise ContentError(
            f"{file.name} has SHA-256 {found[:12]}..., expected {wheel['sha256'][:12]}...; it is refused. "
            "The registry holds another file than the one this row was written for."
        )
    return file


def from_apt(row, into, work):
    """What the manifest lists of Debian packages, fetched by apt-get into `work`; root is not needed."""
    packages = row["apt"]["package"].split()
    for client in ("apt-get", "dpkg-deb"):
        if shutil.which(client) is None:
            raise RegistryError(
                f"{client} is not on this machine. Unpack the Debian package {' and '.join(packages)} into a folder "
                "named like the data set, and set CONSILIENCE_DATA to the folder above it."
            )
    try:
        run(["apt-get", "download", *packages], work)
    except RegistryError:  # no package lists yet, as in a fresh container
        download_with_own_lists(packages, work)
    for archive in Path(work).glob("*.deb"):
        run(["dpkg-deb", "-x", archive.name, "unpacked"], work)
    gather(Path(work) / "unpacked", manifest(row["manifest"]), into)


def from_github(row, into, work):
    """The listed files of a public repository at a fixed commit, one by one."""
    home = row["github"]
    site = f"https://raw.githubusercontent.com/{home['repository']}/{home['commit']}/{home['folder']}"
    for path in manifest(row["manifest"]) if "manifest" in row else row["files"]:
        target = Path(into) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with urlopen(f"{site}/{quote(path)}", timeout=60) as stream, target.open("wb") as file:
                shutil.copyfileobj(stream, file)
        except (URLError, TimeoutError, ConnectionError) as error:
            raise RegistryError(
                f"GitHub did not give {path} of {home['repository']}: {first_line(error)}. Put the files of "
                f"{home['folder']} into a folder named like the data set, and set CONSILIENCE_DATA to the folder "
                "above it."
            ) from error


def download_with_own_lists(packages, work):
    """apt-get update and download with lists and cache in `work`: no root needed, no system changed."""
    state, cache = Path(work) / "state", Path(work) / "cache"
    (state / "lists/partial").mkdir(parents=True)
    (cache / "archives/partial").mkdir(parents=True)
    apt = ["apt-get", "-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}", "-o", "Debug::NoLocking=1"]
    complaint = None
    try:
        run([*apt, "update"], work)
    except RegistryError as error:  # perhaps of one source among several; the package may come all the same
        complaint = error
    try:
        run([*apt, "download", *packages], work)
    except RegistryError as error:
        raise complaint or error from error


def from_hub(repository, revision=None, offline=False, room=None):
    """The folder of a hub model: what describes it, its processors, and safetensors.

    Parameters
    ----------
    repository : str
    revision : str, optional
        A commit; without it, what is there today.
    offline : bool
        Only if it is here.
    room : int, optional
        Bytes of memory; weights that take more are not fetched.
    """
    hub = bring("huggingface_hub")
    offline = offline or hub.constants.HF_HUB_OFFLINE
    try:
        if room is not None and not offline:
            refuse_too_large(hub.model_info(repository, revision=revision, files_metadata=True), room)
        return Path(
            hub.snapshot_download(
                repository, revision=revision, allow_patterns=FROM_HUB, ignore_patterns="*/*", local_files_only=offline
            )
        )
    except RegistryError:
        raise
    except Exception as error:  # a dozen kinds, and each means that the model did not come
        why = next((WHY[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in WHY), first_line(error))
        raise RegistryError(f"the hub did not give {repository}: {why}") from error


def refuse_too_large(told, room):
    """Refuse a repository whose weights would not fit into memory, or that has none that may be read."""
    weights = [file for file in told.siblings if fnmatch(file.rfilename, "model*.safetensors")]
    size = sum(file.size or 0 for file in weights)
    if not weights:
        raise RegistryError(f"{told.id} has no safetensors, and pickled weights, which can run code, are never read.")
    if size > room:
        raise RegistryError(
            f"the weights of {told.id} take {size / 1e9:.1f} GB, and {room / 1e9:.1f} GB of memory are free; it is too "
            "large for this machine."
        )


def run(command, folder):
    """Run a client in `folder`; RegistryError quotes the line in which it complains."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        complaints = [line for line in lines if line.startswith(("ERROR", "E:", "dpkg-deb: error"))] or lines
        name = "pip" if "pip" in command else command[0]
        raise RegistryError(f"{name} failed: {complaints[-1] if complaints else f'exit status {done.returncode}'}")


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
