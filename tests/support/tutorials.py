"""A page of the documents as a person follows it: its files, and its commands in their order.

>>> page = Page(ROOT / "docs" / "tutorials" / "csv-to-int8.md")
>>> list(page.recipes), page.commands[0]
(['messages.yaml'], 'lingopress init messages.csv ...')
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROGRAMS = ("lingopress", "pip", "make", "ray", "python", ".")


class Page:
    """What a page shows.

    Attributes:
        recipes: whole recipes by the file name that their `name` gives.
        commands: lines of commands, without comments.
        printed: blocks of text, which are what commands print.
    """

    def __init__(self, path: Path) -> None:
        blocks = _FENCE.findall(path.read_text(encoding="utf-8"))
        self.printed = [text for kind, text in blocks if kind == "text"]
        recipes = [text for kind, text in blocks if kind == "yaml" and text.startswith("name: ")]
        self.recipes = {f"{text.split()[1]}.yaml": text for text in recipes}
        lines = [line for kind, text in blocks if not kind for line in text.splitlines()]
        self.commands = [line.partition(" #")[0].strip() for line in lines if line.strip()]
        strange = [line for line in self.commands if line.split()[0] not in _PROGRAMS]
        assert not strange, f"{path.name}: is this a command? {strange}"


@dataclass(frozen=True)
class Walk:
    """How a test follows a page.

    Attributes:
        prepare: writes into the current folder what the page says a person has.
        fewer: words that are added to a command, so that it does less; by the command.
        elsewhere: commands that are not run here, with the reason.
        layers: of the encoder that stands for those that the page names.
    """

    prepare: Callable[[], None] = lambda: None
    fewer: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    layers: int = 2


def measure_here(patch: pytest.MonkeyPatch) -> None:
    """Speeds are measured in this process, on a few sentences: no process has to begin."""
    from evalsuite.bench import measure, peak, worker

    def here(context: Any, main: Callable[..., None], arguments: Any, what: str) -> Any:
        if main is worker.main:
            few = {"latency_samples": 2, "passes": 1, "batch_sizes": ()}
            text = {code: own[:2] for code, own in arguments[0].sequences.items()}
            arguments = (replace(arguments[0], sequences=text, **few),)
        elif main is peak.main:
            arguments = (*arguments[:2], (16,))
        return sys.modules[main.__module__].measure(*arguments)

    patch.setattr(measure, "_in_a_process", here)
