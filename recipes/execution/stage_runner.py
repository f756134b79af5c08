"""Make one stage of a plan: from the cache where it is there, else by its module.

>>> maker = Maker(plan, Workspace(), Display(), debug=False)
>>> maker.stage(plan.stages[0]).path
Path('.lingopress/stages/train-5feceb66ffc86f38d952')
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compress.errors import GateError
from evalsuite.data import left_out
from evalsuite.errors import KilledError
from evalsuite.machine import waiting
from evalsuite.results.read_record import first_problem
from evalsuite.results.run import MANIFEST, StageRecord
from recipes.errors import (
    RecipesError,
    StageFailedError,
    StageRefusedError,
    WorkspaceError,
    is_persons,
    is_refusal,
)
from recipes.execution.cache import Attempt, Cache
from recipes.execution.display import Display
from recipes.execution.manifest import read_manifest
from recipes.execution.output_capture import capture
from recipes.execution.run_record import StageOutcome
from recipes.execution.shared_stages import SharedStages
from recipes.execution.work_snapshots import WorkSnapshots
from recipes.execution.workspace import Workspace
from recipes.naming import distinct_file_name
from recipes.planning.plan import changed, lineage
from recipes.planning.planned import Plan, Planned
from recipes.stages._shared.contract import Input, StageContext, Summary
from transfer.loop.training_log import read_curves


class Maker:
    """Makes stages of a plan in this process.

    Attributes:
        made: outcomes by label; what a stage needs must be there before it.
        host: the node it is on; empty on the machine of the run.
        snapshots: where stages in the making are copied to, on a node that may be lost.
    """

    def __init__(self, plan: Plan, space: Workspace, display: Display, debug: bool) -> None:
        self.plan, self.space, self.display, self.debug = plan, space, display, debug
        self.cache = Cache(space)
        self.shared = SharedStages(self.cache, display)
        self.made: dict[str, StageOutcome] = {}
        self.fetched: dict[str, Path] = {}
        self.host = ""
        self.snapshots: WorkSnapshots | None = None

    def _lock(self, stage: Planned) -> AbstractContextManager[None]:
        said = f"{stage.label}: another lingopress is making it; waiting"
        return self.cache.lock(stage.key, lambda: self.display.say(said))

    def make_again(self, labels: set[str]) -> None:
        """Make stages here, whatever a shared cache has; their outputs are still there."""
        self.space.again |= {stage.key for stage in self.plan.stages if stage.label in labels}

    def forget(self, labels: set[str]) -> None:
        """Remove the outputs of stages, those that others need last."""
        for stage in reversed(self.plan.stages):
            if stage.label in labels:
                with self._lock(stage):
                    self.cache.forget(stage.kind, stage.key, again=True)

    def stage(self, stage: Planned) -> StageOutcome:
        """Find or make one stage.

        Raises:
            RecipesError: one of its kinds, whatever the stage itself raised.
        """
        with self.space.guard(), self._lock(stage):
            if found := self.find(stage):  # by the one that was waited for
                return found
            if self.shared.pull(stage.kind, stage.key, stage.label) and (found := self.find(stage)):
                return found
            if problem := self.cache.damage(self.cache.path(stage.kind, stage.key)):
                self.display.say(
                    f"{stage.label}: its output is damaged ({problem}); making it again"
                )
            try:
                record, path = self._make(stage)
            except Exception as error:
                self.display.stop(stage.label)
                said = self._translate(stage, error)
                raise said from (None if said is error else error)
            self.shared.push(path, stage.key, stage.label)
            if self.snapshots is not None:
                self.snapshots.drop(stage.kind, stage.key)
        return self._finished(stage, path, record, cached=False)

    def find(self, stage: Planned) -> StageOutcome | None:
        """The stage from the cache, if it is there."""
        path = self.cache.lookup(stage.kind, stage.key)
        manifest = read_manifest(path) if path else None
        if path is None or manifest is None:
            return None
        # the same work may have been done under another name
        record = manifest.record
        own = {"name": stage.label, "inputs": tuple(stage.needs()), "config": _found(stage, record)}
        own["not_in_key"] = _not_in_key(stage)  # of a plugin perhaps; older records have none
        return self._finished(stage, path, record.model_copy(update=own), cached=True)

    def kept(self, stage: Planned) -> StageOutcome | None:
        """A stage that is not asked for, if it was finished before; nothing is shown."""
        path = self.cache.lookup(stage.kind, stage.key)
        manifest = read_manifest(path) if path else None
        if path is None or manifest is None:
            return None
        return StageOutcome(stage.label, stage.kind, path, manifest.record, cached=True)

    def _finished(
        self, stage: Planned, path: Path, record: StageRecord, cached: bool
    ) -> StageOutcome:
        self.made[stage.label] = StageOutcome(stage.label, stage.kind, path, record, cached)
        self.display.done(record, cached)
        return self.made[stage.label]

    def _make(self, stage: Planned) -> tuple[StageRecord, Path]:
        waiting.choose()  # before the stage imports torch
        input_bytes = sum(self._bytes(label) for label in stage.needs())
        self.space.require_space(stage.label, input_bytes)
        recipe = self.plan.loaded.recipe.name
        if self.snapshots is not None:
            self.snapshots.restore(stage.kind, stage.key)
        self._require_unchanged(stage)
        with self.cache.attempt(stage.kind, stage.key) as attempt:
            self.display.start(stage.label, stage.kind, attempt.before)
            try:
                with self._quiet(stage), left_out.collected() as without:
                    summary = stage.module.run(stage.config, self._context(stage, attempt))
            except GateError as error:
                kept = self.space.set_aside(attempt.out, recipe, stage.label)
                if kept is None:
                    raise
                raise GateError(
                    f"{error}\nwhat it made is kept, to be looked at: {kept}"
                ) from error
            self._require_unchanged(stage, attempt)
            if (attempt.out / MANIFEST).exists():
                raise RuntimeError(f"a stage may not write {MANIFEST}")
            summary = {**left_out.summary(without), **summary}
            self.cache.publish(attempt, _record(stage, attempt, summary))
            self.space.drop_failed(recipe, stage.label)
        path = self.cache.path(stage.kind, stage.key)
        manifest = read_manifest(path)
        assert manifest is not None, "it was published a moment ago"
        return manifest.record, path

    def _require_unchanged(self, stage: Planned, attempt: Attempt | None = None) -> None:
        """Refuse a stage of which rows or models from outside are not those of its key any more.

        A file that is changed and put back between two looks is not noticed.

        Args:
            attempt: what was made of them; it is removed.

        Raises:
            RecipesError: they are others.
        """
        what = changed(self.plan, stage, self.cache.memo)
        if not what:
            return
        if attempt is not None:
            shutil.rmtree(attempt.work, ignore_errors=True)
            if self.snapshots is not None:
                self.snapshots.drop(stage.kind, stage.key)
        raise _changed(what)

    def _quiet(self, stage: Planned) -> AbstractContextManager[None]:
        return nullcontext() if self.debug else capture(self._log(stage))

    def _log(self, stage: Planned) -> Path:
        recipe = distinct_file_name(self.plan.loaded.recipe.name)
        return self.space.logs / recipe / (distinct_file_name(stage.label) + ".log")

    def _context(self, stage: Planned, attempt: Attempt) -> StageContext:
        def progress(fraction: float, text: str) -> None:
            attempt.tick()
            if self.snapshots is not None:
                self.snapshots.tick(attempt)
            self.display.update(stage.label, min(max(fraction, 0.0), 1.0), text)

        recipe = self.plan.loaded.recipe
        return StageContext(
            label=stage.label,
            tokens=self.space.tokens,
            tracked=self.space.tracked,
            out=attempt.out,
            work=attempt.work,
            inputs={r: tuple(map(self._input, labels)) for r, labels in stage.inputs.items()},
            data=self.plan.data,
            seed=stage.seed,
            recipe=recipe.name,
            description=recipe.description,
            lineage=tuple(self.made[label].record for label in lineage(self.plan, stage.label)),
            progress=progress,
        )

    def _input(self, label: str) -> Input:
        external = self.plan.externals.get(label)
        if external is None:
            planned = next(stage for stage in self.plan.stages if stage.label == label)
            if self.made[label].record.key != planned.key:  # in a search, of an earlier trial
                raise _changed(f"what stage {label} reads")
            self.cache.require_whole(
                self.made[label].path,
                f"the output of stage {label}, which is read now,",
                "run the same command again: the damaged stage is made again",
            )
            return Input(label, self.made[label].path, planned.artifact)
        if label not in self.fetched:
            self.fetched[label] = external.fetch()
            if pinned := external.pinned(self.fetched[label]):
                self.display.say(f"{label}: to read the same commit next time, write {pinned}")
        return Input(label, self.fetched[label], external.artifact)

    def _bytes(self, label: str) -> int:
        external = self.plan.externals.get(label)
        return external.bytes() if external else self.made[label].record.output_bytes

    def _translate(self, stage: Planned, error: Exception) -> RecipesError:
        """The error a person gets, from whatever a stage raised."""
        who = f"stage {stage.label} ({stage.kind})"
        later = (
            "the stages before it are kept; for the traceback, run the same command with --debug\n"
            f"to begin this stage from nothing: --from '{stage.label}'"
        )
        if isinstance(error, WorkspaceError):
            return error
        if problem := self.space.problem(error):
            return WorkspaceError(f"{who}: {problem}")
        if isinstance(error, StageFailedError | KilledError):
            return StageFailedError(f"{who} failed: {error}")
        if is_refusal(error):
            return StageRefusedError(f"{who}: {error}")
        if is_persons(error):
            return RecipesError(f"{who}: {error}")
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
            return RecipesError(
                f"{who}: there is not enough memory\n"
                "close other programs, or give the stage a smaller batch or model"
            )
        if isinstance(error, ValidationError):
            return StageFailedError(
                f"{who} failed: its result cannot be right: {first_problem(error)}\n{later}"
            )
        cause = (str(error).strip().splitlines() or [""])[0][:300]
        at = f"{self.host}:" if self.host else ""
        log = "" if self.debug else f"\nwhat it printed: {at}{self._log(stage)}"
        return StageFailedError(
            f"{who} failed: {type(error).__name__}{': ' + cause if cause else ''}{log}\n{later}"
        )


def _changed(what: str) -> RecipesError:
    return RecipesError(
        f"{what} changed while the run was under way; it is not what the run began with\n"
        "run the same command again; finished stages are kept"
    )


def _record(stage: Planned, attempt: Attempt, summary: Summary) -> StageRecord:
    return StageRecord(
        name=stage.label,
        kind=stage.kind,
        key=stage.key,
        inputs=tuple(stage.needs()),
        config=_keys(stage),
        summary={name: _finite(value) for name, value in summary.items()},
        seconds=attempt.seconds(),
        output_bytes=0,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        curves=read_curves(attempt.work),
        not_in_key=_not_in_key(stage),
    )


def _keys(stage: Planned) -> dict[str, Any]:
    """The keys of a stage as its record has them."""
    return stage.config.model_dump(mode="json", exclude={"resources"})


def _not_in_key(stage: Planned) -> tuple[str, ...]:
    """Those of its keys that change no output."""
    return tuple(sorted(getattr(stage.config, "not_in_key", ())))


def _found(stage: Planned, record: StageRecord) -> dict[str, Any]:
    """The keys of a stage that was made before; those outside its cache key as it was made with."""
    of_making = _not_in_key(stage)
    kept = {key: value for key, value in record.config.items() if key in of_making}
    return {key: value for key, value in _keys(stage).items() if key not in of_making} | kept


def _finite(value: float | int | str) -> float | int | str:
    """The value; `nan` and `inf`, which JSON has no numbers for, as text."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value
