"""What a file says, by SHA-256, and whether a folder says what it should.

Weights must be the same byte for byte. Pictures and captions that come from a Linux distribution are not:
each release recompresses them, moves them and adds translations. They are known by their pixels and by their
first line, so that the same stimuli, and no others, are taken out of every release. Where releases carry two editions
of a file, as of recordings that were compressed again, a manifest lists the SHA-256 of both, with a blank between.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from itertools import product
from pathlib import Path, PurePosixPath

from .optional import bring


class ContentError(RuntimeError):
    """A file that is missing, or does not say what its SHA-256 promises; the message names it."""


def digest(path):
    """SHA-256 of what the file says: pixels of a .png, first line of a .txt beside it, all bytes of anything else."""
    path = Path(path)
    if path.suffix == ".png":
        return said_by_picture(path).hexdigest()
    if path.suffix == ".txt" and path.with_suffix(".png").exists():
        return said_by_caption(path).hexdigest()
    return said_by_file(path).hexdigest()


def said_by_file(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def said_by_picture(path):
    with bring("PIL.Image").open(path) as image:
        image = image.convert("RGBA")
        return hashlib.sha256(b"%d %d " % image.size + image.tobytes())


def said_by_caption(path):
    return hashlib.sha256(path.read_bytes().partition(b"\n")[0].strip())


def verify(folder, manifest):
    """Every file of `manifest` ({path: SHA-256}) is in `folder` and says what it should, or ContentError.

    A SHA-256 may be given by its first digits, and a file may have several editions.
    """
    for path, wanted in manifest.items():
        file = Path(folder) / path
        if not file.is_file():
            raise ContentError(f"{file} is missing.")
        try:
            found = digest(file)
        except OSError as error:
            raise ContentError(f"{file} cannot be read: {error}") from error
        if not found.startswith(tuple(wanted.split())):
            raise ContentError(f"{file} is not what it should be: SHA-256 {found[:12]}..., expected {wanted[:12]}...")


def gather(found, manifest, into):
    """Copy from `found` into `into` what `manifest` lists, wherever in `found` it lies.

    Files that share a path up to the suffix belong together (a picture and its caption) and are taken
    together: only a group that says the same in all its files is the one that is meant.
    """
    wanted = grouped(manifest)
    kinds = {tuple(sorted(group)) for group in wanted.values()}
    suffixes = {suffix for kind in kinds for suffix in kind}
    lying = grouped(
        {str(path.relative_to(found)): path for path in sorted(Path(found).rglob("*")) if path.suffix in suffixes}
    )
    digits = min(len(one) for digests in manifest.values() for one in digests.split())
    said = {}
    for group in lying.values():
        for kind in kinds:
            if group.keys() >= set(kind):
                key = tuple(digest(group[suffix])[:digits] for suffix in kind)
                said.setdefault((kind, key), {suffix: group[suffix] for suffix in kind})
    for stem, group in wanted.items():
        kind = tuple(sorted(group))
        editions = product(*([one[:digits] for one in group[suffix].split()] for suffix in kind))
        source = next((said[kind, key] for key in editions if (kind, key) in said), None)
        if source is None:
            raise ContentError(f"{stem} is not in {found}, or does not say what its SHA-256 promises.")
        for suffix, file in source.items():
            target = Path(into) / (stem + suffix)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def grouped(files):
    """{path: value} as {path without suffix: {suffix: value}}."""
    groups = defaultdict(dict)
    for path, value in files.items():
        suffix = PurePosixPath(path).suffix
        groups[path.removesuffix(suffix)][suffix] = value
    return groups
