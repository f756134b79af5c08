"""Run a recipe: one stage after the other, each from the cache where it is there.

>>> outcome = run_recipe("demo", workspace=Path(".lingopress"))
>>> outcome.report
Path('.lingopress/stages/report-1f0c.../report.html')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evalsuite.results import StageRecord
from recipes.cache import MANIFEST, Attempt, Cache, read_manifest
from recipes.capture import capture
from recipes.digests import DigestMemo
from recipes.errors import RecipesError, StageFailedError, WorkspaceError, is_persons
from recipes.graph import ancestors, descendants
from recipes.plan import Plan, Planned, lineage, make_plan
from recipes.problems import suggest
from recipes.progress import Display
from recipes.schema import load
from recipes.stage import Input, StageContext, Summary
from recipes.workspace import Workspace, file_name, is_disk_full


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """One stage after a run."""

    label: str
    kind: str
    path: Path
    record: StageRecord
    cached: bool


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished run; `folder` holds `run.json` and links to the outputs."""

    recipe: str
    stages: tuple[StageOutcome, ...]
    folder: Path
    report: Path | None


def run_recipe(
    path_or_name: str,
    *,
    overrides: Sequence[str] = (),
    data_dir: Path | None = None,
    workspace: Path | None = None,
    from_stage: str | None = None,
    until_stage: str | None = None,
    progress: Display | Callable[[Plan], Display] | None = None,
    debug: bool = False,
) -> RunOutcome:
    """Check a recipe, then make every stage that is not there yet.

    Args:
        from_stage: forget the outputs of this stage and of all that needs it first.
        until_stage: make this stage and what it needs, nothing else.
        progress: a display, or what makes one for the plan.
        debug: let libraries print, instead of into the workspace's logs.

    Raises:
        RecipeError: the recipe is wrong; nothing was run.
        WorkspaceError: the workspace cannot be written, or is full.
        RecipesError: a stage met something a person can put right.
        StageFailedError: a stage broke.
    """
    space = Workspace(workspace)
    plan = make_plan(load(path_or_name, overrides), data_dir, DigestMemo(space.digests))
    again, chosen = _choose(plan, from_stage, until_stage)
    space.prepare()
    display = progress(plan) if callable(progress) else progress or Display()
    runner = _Runner(plan, space, display, debug)
    try:
        for stage in reversed(plan.stages):
            if stage.label in again:
                runner.forget(stage)
        for stage in plan.stages:
            if stage.label in chosen:
                runner.stage(stage)
    finally:
        display.stop()
    outcome = _outcome(plan, space, list(runner.made.values()))
    display.finish(outcome)
    return outcome


def _choose(plan: Plan, from_stage: str | None, until: str | None) -> tuple[set[str], set[str]]:
    """Labels to make again, and labels to make at all."""
    graph = plan.graph()
    again = descendants(graph, _named(plan, "--from", from_stage)) if from_stage else set()
    chosen = ancestors(graph, _named(plan, "--until", until)) if until else set(graph)
    return again, chosen


def _named(plan: Plan, option: str, name: str) -> list[str]:
    labels = plan.find(name)
    if not labels:
        names = list(dict.fromkeys(stage.name for stage in plan.stages))
        near = suggest(name, [*names, *plan.graph()])
        raise RecipesError(f"{option}: no stage {name!r}{near}\nstages: {', '.join(names)}")
    return labels


class _Runner:
    def __init__(self, plan: Plan, space: Workspace, display: Display, debug: bool) -> None:
        self.plan, self.space, self.display, self.debug = plan, space, display, debug
        self.cache = Cache(space)
        self.made: dict[str, StageOutcome] = {}
        self.fetched: dict[str, Path] = {}

    def _lock(self, stage: Planned) -> AbstractContextManager[None]:
        said = f"{stage.label}: another lingopress is making it; waiting"
        return self.cache.lock(stage.key, lambda: self.display.say(said))

    def forget(self, stage: Planned) -> None:
        """Remove a stage's output."""
        with self._lock(stage):
            self.cache.forget(stage.kind, stage.key)

    def stage(self, stage: Planned) -> None:
        """Find or make one stage."""
        if self._found(stage):
            return
        with self._lock(stage):
            if self._found(stage):  # by the one that was waited for
                return
            try:
                record, path = self._make(stage)
            except Exception as error:
                self.display.stop()
                said = self._translate(stage, error)
                raise said from (None if said is error else error)
        self._finished(stage, path, record, cached=False)

    def _found(self, stage: Planned) -> bool:
        path = self.cache.lookup(stage.kind, stage.key)
        manifest = read_manifest(path) if path else None
        if path is None or manifest is None:
            return False
        # the same work may have been done under another name
        names = {"name": stage.label, "inputs": tuple(stage.needs())}
        self._finished(stage, path, manifest.record.model_copy(update=names), cached=True)
        return True

    def _finished(self, stage: Planned, path: Path, record: StageRecord, cached: bool) -> None:
        self.made[stage.label] = StageOutcome(stage.label, stage.kind, path, record, cached)
        self.display.done(record, cached)

    def _make(self, stage: Planned) -> tuple[StageRecord, Path]:
        input_bytes = sum(self._bytes(label) for label in stage.needs())
        self.space.require_space(stage.label, input_bytes)
        with self.cache.attempt(stage.kind, stage.key) as attempt:
            self.display.start(stage.label, stage.kind, attempt.before)
            with self._quiet(stage):
                summary = stage.module.run(stage.config, self._context(stage, attempt))
            if (attempt.out / MANIFEST).exists():
                raise RuntimeError(f"a stage may not write {MANIFEST}")
            self.cache.publish(attempt, _record(stage, attempt, summary))
        path = self.cache.path(stage.kind, stage.key)
        manifest = read_manifest(path)
        assert manifest is not None, "it was published a moment ago"
        return manifest.record, path

    def _quiet(self, stage: Planned) -> AbstractContextManager[None]:
        return nullcontext() if self.debug else capture(self._log(stage))

    def _log(self, stage: Planned) -> Path:
        return (
            self.space.logs
            / file_name(self.plan.loaded.recipe.name)
            / (file_name(stage.label) + ".log")
        )

    def _context(self, stage: Planned, attempt: Attempt) -> StageContext:
        def progress(fraction: float, text: str) -> None:
            attempt.tick()
            self.display.update(min(max(fraction, 0.0), 1.0), text)

        recipe = self.plan.loaded.recipe
        return StageContext(
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
            return Input(label, self.made[label].path, planned.artifact)
        if label not in self.fetched:
            self.fetched[label] = external.fetch()
        return Input(label, self.fetched[label], external.artifact)

    def _bytes(self, label: str) -> int:
        external = self.plan.externals.get(label)
        return external.bytes() if external else self.made[label].record.output_bytes

    def _translate(self, stage: Planned, error: Exception) -> RecipesError:
        """The error a person gets, from whatever a stage raised."""
        who = f"stage {stage.label} ({stage.kind})"
        if isinstance(error, WorkspaceError):
            return error
        if is_disk_full(error):
            return WorkspaceError(f"{who}: {self.space.full()}")
        if isinstance(error, StageFailedError):
            return StageFailedError(f"{who} failed: {error}")
        if is_persons(error):
            return RecipesError(f"{who}: {error}")
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
            return RecipesError(
                f"{who}: there is not enough memory\n"
                "close other programs, or give the stage a smaller batch or model"
            )
        cause = (str(error).strip().splitlines() or [""])[0][:300]
        log = "" if self.debug else f"\nwhat it printed: {self._log(stage)}"
        return StageFailedError(
            f"{who} failed: {type(error).__name__}{': ' + cause if cause else ''}{log}\n"
            "the stages before it are kept; for the traceback, run the same command with --debug\n"
            f"to begin this stage from nothing: --from '{stage.label}'"
        )


def _record(stage: Planned, attempt: Attempt, summary: Summary) -> StageRecord:
    return StageRecord(
        name=stage.label,
        kind=stage.kind,
        key=stage.key,
        inputs=tuple(stage.needs()),
        config=stage.config.model_dump(mode="json"),
        summary=summary,
        seconds=attempt.seconds(),
        output_bytes=0,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _outcome(plan: Plan, space: Workspace, stages: list[StageOutcome]) -> RunOutcome:
    name = plan.loaded.recipe.name
    reports = [stage.path for stage in stages if stage.kind == "report"]
    report = report_file(reports[-1]) if reports else None
    record = {
        "recipe": name,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "stages": {stage.label: str(stage.path) for stage in stages},
        "report": str(report) if report else None,
    }
    folder = space.write_run(name, record, {stage.label: stage.path for stage in stages})
    return RunOutcome(name, tuple(stages), folder, report)


def report_file(directory: Path) -> Path:
    """The page to open in a report's directory."""
    for name in ("report.html", "index.html", "report.md"):
        if (directory / name).is_file():
            return directory / name
    return directory
