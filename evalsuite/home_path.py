"""Paths that begin with `~`.

>>> home_path("~no-such-person/rows.csv").as_posix()
'~no-such-person/rows.csv'
"""

from __future__ import annotations

from pathlib import Path


def home_path(text: str | Path) -> Path:
    """A path in which `~` is the home folder; as it is where there is no such person."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
