"""What `plan` prints of time and disk: each stage in a row, and what all of them take.

>>> print(stage_rows(plan.stages, made, found, cache))
stage    kind    state    key       time     disk
teacher  train   cached   5feceb66  took 4m  -
student  export  to make  7d0a1e55  ~2m 10s  119.2 MB
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recipes.cli.memory_lines import aligned
from recipes.execution.cache import Cache
from recipes.execution.display import duration
from recipes.execution.manifest import Manifest, read_manifest
from recipes.execution.workspace import size_text
from recipes.planning.plan import Planned
from recipes.planning.time import Prediction

HEAD = ("stage", "kind", "state", "key", "time", "disk")


def finished(stages: Sequence[Planned], cache: Cache) -> dict[str, Manifest]:
    """The stages that are in the cache, by label."""
    found = {}
    for stage in stages:
        path = cache.lookup(stage.kind, stage.key)
        manifest = read_manifest(path) if path else None
        if manifest is not None:
            found[stage.label] = manifest
    return found


def stage_rows(
    stages: Sequence[Planned],
    made: Mapping[str, Manifest],
    found: Mapping[str, Prediction],
    cache: Cache,
) -> str:
    """A table of the stages, in order of execution; of a finished one, what it took."""
    rows: list[tuple[str, ...]] = [HEAD]
    rows += [_row(stage, made.get(stage.label), found.get(stage.label), cache) for stage in stages]
    return aligned(rows)


def total_lines(found: Mapping[str, Prediction]) -> list[str]:
    """What the stages take that are still to be made; nothing where none is."""
    known = [one for one in found.values() if not one.unknown]
    reasons: dict[str, list[str]] = {}
    for label, one in found.items():
        if one.unknown:
            reasons.setdefault(one.unknown, []).append(label)
    lines = []
    if known:
        seconds = sum(one.seconds for one in known)
        part = f" of the {len(known)} stage(s) with a prediction" if reasons else ""
        lines.append(
            f"total{part}: about {duration(seconds)}, one stage after the other, with this machine "
            f"as busy as it is now; {size_text(sum(one.output for one in known))} of results"
        )
        if working := max(one.working for one in known):
            lines[0] += f", and at most {size_text(working)} more while a stage runs"
    for reason, labels in reasons.items():
        lines.append(f"no prediction of time, {reason}: {', '.join(labels)}")
    return lines


def _row(
    stage: Planned, made: Manifest | None, found: Prediction | None, cache: Cache
) -> tuple[str, ...]:
    head = stage.label, stage.kind
    if made is not None:
        took = f"took {duration(made.record.seconds)}"
        return *head, "cached", stage.key[:8], took, size_text(made.record.output_bytes)
    state = "damaged" if cache.damage(cache.path(stage.kind, stage.key)) else "to make"
    if found is None or found.unknown:
        guess: Any = getattr(stage.module, "cost", None)
        return *head, state, stage.key[:8], str(guess(stage.config)) if guess else "unknown", "-"
    disk = size_text(found.output) if found.output else "-"
    return *head, state, stage.key[:8], f"~{duration(found.seconds)}", disk
