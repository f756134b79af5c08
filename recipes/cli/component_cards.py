"""What `lingopress ls WHAT NAME` prints about one component: a sentence and tables.

>>> print(as_text(card("methods", "last_k")))
last_k: The top layers and the task head are trained; the layers below and the embeddings ...
writes a checkpoint
<BLANKLINE>
Keys of train with method: last_k
key   type     default  range   meaning
last  integer  none     from 1  Number of top layers that method last_k trains; ...
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

from compress.export.registry import EXPORTERS
from evalsuite.errors import UnknownNameError
from evalsuite.install_command import install_command
from evalsuite.metric import KINDS
from evalsuite.registry import FORMATS, METRICS, RUNTIMES
from evalsuite.scoring import kinds
from recipes.cli.components import entries, passes
from recipes.cli.key_tables import HEADER, KeyGroup, keys_of_method, keys_of_stage
from recipes.cli.listings import task_card
from recipes.cli.memory_lines import aligned
from recipes.stages._shared.registry import STAGES
from transfer.registry import METHODS


class Table(NamedTuple):
    """Rows under a heading."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Card(NamedTuple):
    """One component: what it is for, further facts, and its tables."""

    name: str
    about: str
    facts: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def card(what: str, name: str) -> Card:
    """The card of a stage, task, method, pass, runtime or metric.

    Args:
        what: one of `CARDS`.

    Raises:
        UnknownNameError: there is no such component; offers the nearest name.
    """
    return CARDS[what](name)


def _stage(name: str) -> Card:
    return Card(name, _about(STAGES.get(name)), tables=_tables(keys_of_stage(name)))


def _pass(name: str) -> Card:
    if name not in passes():
        raise UnknownNameError("pass", name, passes())
    return _stage(name)


def _method(name: str) -> Card:
    method: Any = METHODS.get(name)
    article = "an" if method.GIVES[0] in "aeiou" else "a"
    facts: tuple[str, ...] = (f"writes {article} {method.GIVES}",)
    groups = keys_of_method(name)
    if not groups:
        facts += ("has no options",)
    return Card(name, _about(method), facts, _tables(groups))


def _task(name: str) -> Card:
    return Card("", "", tuple(task_card(name).splitlines()))


def _runtime(name: str) -> Card:
    about = _about(RUNTIMES.get(name))
    if name not in EXPORTERS.names():
        return Card(name, about, ("opens models; export writes no bundles for it",))
    exporter = EXPORTERS.get(name)
    packages = exporter.requirements(next(iter(exporter.precisions))).replace("`", "")
    facts = [f"model file: {exporter.file}", f"to run a bundle: {packages}"]
    if exporter.packages:
        facts.append(f"to install it: {install_command(exporter.extra)}")
    rows = []
    for precision, rules in exporter.precisions.items():
        needs = [f"lingopress[{exporter.extra}]"] if exporter.packages or rules.packages else []
        if rules.calibrated:
            needs.append("calibration text")
        embeddings = ", ".join(rules.embeddings) or "as the precision"
        rows.append((precision, ", ".join(needs) or "-", embeddings, rules.summary))
    table = Table("Precisions of a bundle", _PRECISIONS, tuple(rows))
    return Card(name, about, tuple(facts), (table,))


def _metric(name: str) -> Card:
    metric = METRICS.get(name)
    about = next(entry.about for entry in entries("metrics") if entry.name == name)
    fitting = [form for form in FORMATS.names() if set(metric.kinds) & set(kinds(form))]  # type: ignore[arg-type]
    facts = [
        *(f"reads {kind}: {KINDS[kind]}" for kind in metric.kinds),
        f"formats: {', '.join(fitting)}",
    ]
    if metric.chance is None:
        facts.append("scored next to a task's main metric only")
    if metric.needs:
        facts.append(f"a task must have: {', '.join(metric.needs)}")
    rows = tuple(
        (score, title, metric.hub.get(score, "-")) for score, title in metric.titles.items()
    )
    return Card(name, about, tuple(facts), (Table("Scores", _SCORES, rows),))


_SCORES = ("score", "title", "name on the hub")
_PRECISIONS = ("precision", "to export it", "embeddings", "meaning")
CARDS = {
    "stages": _stage,
    "tasks": _task,
    "methods": _method,
    "passes": _pass,
    "runtimes": _runtime,
    "metrics": _metric,
}


def _about(module: Any) -> str:
    return (inspect.getdoc(module) or "").split("\n", 1)[0]


def _tables(groups: Sequence[KeyGroup]) -> tuple[Table, ...]:
    return tuple(Table(group.title, HEADER, tuple(group.keys)) for group in groups)


def as_text(card: Card) -> str:
    """A card in plain columns, for files and pipes."""
    head = f"{card.name}: {card.about}" if card.name else ""
    parts = ["\n".join([*filter(None, [head]), *card.facts])]
    for table in card.tables:
        parts.append(f"{table.title}\n{aligned([table.header, *table.rows])}")
    return "\n\n".join(parts)


def show(card: Card) -> None:
    """Print a card on a terminal, with tables that fit its width."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    console = Console(highlight=False)
    if card.name:
        console.print(Text.assemble((card.name, "bold"), f": {card.about}"))
    for fact in card.facts:
        console.print(Text(fact))
    for table in card.tables:
        drawn = Drawn(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for place, name in enumerate(table.header):
            drawn.add_column(name, style="bold" if place == 0 else "", overflow="fold")
        for row in table.rows:
            drawn.add_row(*map(Text, row))
        console.print(drawn)
