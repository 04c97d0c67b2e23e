"""The clients that bring files: pip, apt, and the Hugging Face hub. They know where their registries are.

Nothing that comes is installed or imported, and no build script runs: a wheel is a zip file and a Debian
package an archive, and only files that a row of data/ lists, by SHA-256, are taken out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from .contents import ContentError, digest, gather
from .data_files import manifest
from .optional import bring


class RegistryError(RuntimeError):
    """A client that is missing or could not bring the file; the message says which, and what to do."""


def from_wheel(row, into, work):
    """The listed files of a wheel, fetched by pip into the folder `work` and unzipped into `into`."""
    wheel = row["wheel"]
    requirement = f"{wheel['package']}=={wheel['version']}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    run([*pip, "--no-deps", "--only-binary=:all:", "--dest", ".", requirement], work)
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
    with zipfile.ZipFile(file) as archive:
        for path in row["files"]:
            archive.extract(path, into)


def from_apt(row, into, work):
    """What the manifest lists of a Debian package, fetched by apt-get into `work`; root is not needed."""
    package = row["apt"]["package"]
    for client in ("apt-get", "dpkg-deb"):
        if shutil.which(client) is None:
            raise RegistryError(
                f"{client} is not on this machine. Unpack the Debian package {package} into a folder named "
                "like the data set, and set CONSILIENCE_DATA to the folder above it."
            )
    try:
        run(["apt-get", "download", package], work)
    except RegistryError:  # no package lists yet, as in a fresh container
        download_with_own_lists(package, work)
    unpacked = Path(work) / "unpacked"
    (archive,) = Path(work).glob(f"{package}_*.deb")
    run(["dpkg-deb", "-x", archive.name, str(unpacked)], work)
    gather(unpacked, manifest(row["manifest"]), into)


def download_with_own_lists(package, work):
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
        run([*apt, "download", package], work)
    except RegistryError as error:
        raise complaint or error from error


def from_hub(repository, offline=False):
    """The folder of a hub model: config, image processor, safetensors; `offline`: only if it is here."""
    hub = bring("huggingface_hub")
    wanted = ["config.json", "preprocessor_config.json", "model.safetensors"]
    try:
        return Path(hub.snapshot_download(repository, allow_patterns=wanted, local_files_only=offline))
    except Exception as error:  # a dozen kinds, and each means that the model did not come
        raise RegistryError(f"the hub did not give {repository}: {first_line(error)}") from error


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
