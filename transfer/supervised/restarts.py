"""Trainings that come to nothing, found out and begun again with another seed.

Fine-tuning large models on small data sets fails for some seeds: the model gives every row the same
answer, and scores what guessing does (Phang et al. 2018, section 4; Mosbach et al. 2021).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.masked_text import Masked
from transfer.errors import DivergedError
from transfer.loop import processes
from transfer.loop.fit import Fitted
from transfer.loop.training_log import FILE
from transfer.supervised.constant_answer import near_one_answer
from transfer.supervised.keep_best import Selection

T = TypeVar("T")


def train_with_restarts(
    once: Callable[[int, Path], T], restarts: int, seed: int, work: Path
) -> tuple[T, list[str]]:
    """The first of `restarts` + 1 trainings that does not diverge, and what became of those
    before it.

    Args:
        once: trains from a seed, in a separate work directory.
        seed: of the first; each further one has the next.
        work: where what failed is noted, so that it is not tried again after a kill.

    Raises:
        DivergedError: all of them did.
    """
    if restarts == 0:
        return once(seed, work), []
    note = work / "restarts.json"
    failures: list[str] = json.loads(note.read_text("utf-8")) if note.is_file() else []
    while len(failures) <= restarts:
        own = seed + len(failures)
        place = work / f"seed-{own}"
        try:
            return once(own, place), failures
        except DivergedError as error:
            failures.append(f"seed {own}: {error}")
            if processes.is_main():
                note.parent.mkdir(parents=True, exist_ok=True)
                note.write_text(json.dumps(failures), encoding="utf-8")
                _remove_all_but_log(place)
    raise DivergedError(
        f"all {restarts + 1} tries came to nothing:\n  "
        + "\n  ".join(failures)
        + "\nlower learning_rate, or give it more steps or a longer warmup"
    )


def _remove_all_but_log(place: Path) -> None:
    """Delete what a training left, apart from the log of its losses."""
    log = place / FILE
    lines = log.read_bytes() if log.is_file() else None
    shutil.rmtree(place, ignore_errors=True)
    if lines is not None:
        place.mkdir(exist_ok=True)
        log.write_bytes(lines)


def refuse_collapse(
    fitted: Fitted, selection: Selection | None, parts: Sequence[Rows | Masked] = ()
) -> None:
    """Raise where nothing was learnt: by the dev rows where there are some, else by the loss.

    Args:
        parts: what the loss is of; with one of labelled rows, one answer for all of them is known.

    Raises:
        DivergedError: says which.
    """
    why = _why(fitted, selection, parts) if processes.is_main() else None
    if processes.broadcast_from_main(why is not None):
        raise DivergedError(why or "the first process says why")


def _why(fitted: Fitted, selection: Selection | None, parts: Sequence[Rows | Masked]) -> str | None:
    if selection is None:
        if not fitted.final_loss < fitted.first_loss:  # or it is no number
            return f"the loss began at {fitted.first_loss:.4g} and ended at {fitted.final_loss:.4g}"
        return near_one_answer(fitted.final_loss, parts)
    kept = selection.kept()
    for one in selection.dev.sets:
        name, score = one.task.name, kept[one.task.name]
        if name in kept["constant"]:
            return f"{name}: the same answer to every English dev row"
        if score <= one.floor:
            return f"{name}: {score:.1f} on English dev rows, where guessing scores {one.floor:.1f}"
    return None
