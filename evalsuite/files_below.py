"""All files below a folder, in linked folders too.

>>> [path.name for path in files_below(Path("data"))]
['de.tsv', 'en.tsv']

`Path.rglob` does not enter a folder that is a link (Python 3.11), such as one on another disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Files and links to files, folder by folder; each folder's files and folders are sorted.

    A link to a folder that it lies in is not entered, nor is a folder that may not be read.
    """
    yield from _below(folder, frozenset())


def _below(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    inside: list[Path] = []
    with suppress(PermissionError):
        inside = sorted(folder.iterdir())
    for path in inside:
        if path.is_dir():
            yield from _below(path, above | {real})
        elif path.is_file():
            yield path
