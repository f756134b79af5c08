"""Put runs side by side: one record of several, which every part of the report can print.

>>> merged = merge([Run(base), Run(large)])
>>> [system.name for system in group(merged)]
['base:teacher', 'base:int8', 'large:teacher', 'large:int8']

Runs that are one but for `seed:` become variants of one run, `teacher[seed=1]`, so that the
report can say how scores vary over seeds. What must not be compared is kept apart where it is
compared: rows by their digest, speeds by their machine, columns by their source.

The trials of a search stay in their run's report: its budget, front and recommendation are of one
run's knobs and machine. The comparison names what it recommends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evalsuite.errors import DataError
from evalsuite.report.figures.formatting import listed
from evalsuite.report.figures.labels import Label, parse
from evalsuite.report.figures.seeds import SEED
from evalsuite.report.figures.sources import source_of
from evalsuite.report.figures.verdict import verdict
from evalsuite.results.record import ModelInfo
from evalsuite.results.run import ComparedRun, RunRecord, StageRecord
from evalsuite.results.search import Search

# May be those of an earlier run; but for the name, for records without `not_in_key`.
_CHANGE_NOTHING = ("name", "processes", "save_every", "track")


@dataclass(frozen=True, slots=True)
class Run:
    """A run to compare: its record, where that came from, and what to call it."""

    record: RunRecord
    origin: str = ""
    name: str = ""  # default the recipe's

    @property
    def shown_name(self) -> str:
        """The run as messages name it."""
        return self.origin or self.name or self.record.recipe


def merge(runs: Sequence[Run], *, mix_sources: bool = False) -> RunRecord:
    """One record of several runs.

    Args:
        mix_sources: put numbers of different sources into one report anyway.

    Raises:
        DataError: fewer than two runs, one run twice, two of one name, a comparison among them,
            or different sources.
    """
    _check(runs, mix_sources)
    named = list(zip(runs, _names(runs), strict=True))
    renames = [_rename(name, run.record.seed if seeded else None) for run, (name, seeded) in named]
    renamed = [_renamed(run.record, rename) for run, rename in zip(runs, renames, strict=True)]
    names = list(dict.fromkeys(run_names(runs)))
    return RunRecord(
        recipe=f"Comparison of {listed(names)}" + ("" if len(names) > 1 else " over seeds"),
        description="",
        source=source_of(runs[0].record),
        seed=runs[0].record.seed,
        stages=tuple(stage for record in renamed for stage in record.stages),
        scores=tuple(score for record in renamed for score in record.scores),
        speeds=tuple(speed for record in renamed for speed in record.speeds),
        fertility=tuple(counted for record in renamed for counted in record.fertility),
        alignment=tuple(aligned for record in renamed for aligned in record.alignment),
        runs=tuple(
            ComparedRun(
                name=name or run.record.recipe,
                recipe=run.record.recipe,
                source=source_of(run.record),
                seed=run.record.seed,
                finished=max((stage.finished for stage in run.record.stages), default=""),
                search=_recommendation(run.record.search, rename),
            )
            for (run, (name, _)), rename in zip(named, renames, strict=True)
        ),
    )


def run_names(runs: Sequence[Run]) -> list[str]:
    """What each run is called; several seeds of one recipe share a name."""
    named = zip(runs, _names(runs), strict=True)
    return [name or run.record.recipe for run, (name, _) in named]


def _check(runs: Sequence[Run], mix_sources: bool) -> None:
    if len(runs) < 2:
        raise DataError(
            "a comparison takes two runs or more\n"
            "for one run: lingopress report RUN, which takes --csv and --parquet too"
        )
    for i, run in enumerate(runs):
        if run.record.runs:
            raise DataError(
                f"{run.shown_name} is itself a comparison; name the runs it was made from"
            )
        for other in runs[:i]:
            if run.record == other.record:
                names = dict.fromkeys([other.shown_name, run.shown_name])
                raise DataError(f"{listed(list(names))}: the same run twice; name each run once")
            if run.name and run.name == other.name:
                raise DataError(
                    f"{other.shown_name} and {run.shown_name} are both named {run.name!r}; "
                    "give each a different name: NAME=RUN"
                )
    by_source: dict[str, list[str]] = {}
    for run in runs:
        by_source.setdefault(source_of(run.record), []).append(run.shown_name)
    if len(by_source) > 1 and not mix_sources:
        sources = "; ".join(f"{source}: {listed(names)}" for source, names in by_source.items())
        raise DataError(
            f"these runs have different sources, so their numbers cannot be compared ({sources})\n"
            "to print them in one report anyway: --mix-sources"
        )


def _names(runs: Sequence[Run]) -> list[tuple[str, bool]]:
    """What goes before each run's labels, and whether its seed goes into them.

    Runs of one recipe with several values of `seed:` share a name; others of one recipe are
    numbered, `mini#2`. Where all runs share one name, nothing needs to go before the labels.
    """
    units: list[list[int]] = []
    keys: list[tuple[str, str] | None] = []
    for i, run in enumerate(runs):
        key = None if run.name else (run.record.recipe, _sameness(run.record))
        if key is not None and key in keys:
            units[keys.index(key)].append(i)
        else:
            units.append([i])
            keys.append(key)
    units = [part for unit in units for part in _by_seed(runs, unit)]
    firsts = [runs[unit[0]] for unit in units]
    plain = [run.name or run.record.recipe for run in firsts]
    names: dict[int, tuple[str, bool]] = {}
    counted: dict[str, int] = {}
    for unit, run, name in zip(units, firsts, plain, strict=True):
        if plain.count(name) > 1 and not run.name:
            counted[name] = counted.get(name, 0) + 1
            name = f"{name}#{counted[name]}"
        for i in unit:
            names[i] = ("" if len(units) == 1 else name, len(unit) > 1)
    return [names[i] for i in range(len(runs))]


def _by_seed(runs: Sequence[Run], unit: list[int]) -> list[list[int]]:
    """The unit as it is where its runs differ in their seed, else each run alone."""
    records = [runs[i].record for i in unit]
    labels = {score.model.label for record in records for score in record.scores}
    has_seeds = any(SEED in dict(parse(label).variables) for label in labels)
    apart = len({record.seed for record in records}) == len(records)
    return [unit] if apart and not has_seeds else [[i] for i in unit]


def _sameness(record: RunRecord) -> str:
    """What two runs have in common that differ in nothing but `seed:`."""
    stages = [(stage.name, stage.kind, stage.inputs, _keys(stage)) for stage in record.stages]
    scored = sorted({(s.model.label, s.task, s.split, s.data_digest) for s in record.scores})
    return json.dumps([stages, scored], sort_keys=True, default=str)


def _keys(stage: StageRecord) -> dict[str, object]:
    """What a stage was made with, but for keys that change no output."""
    left_out = {*_CHANGE_NOTHING, *stage.not_in_key}
    return {key: value for key, value in stage.config.items() if key not in left_out}


def _rename(name: str, seed: int | None) -> Callable[[str], str]:
    """What a run's label is in the comparison: run and seed added."""

    def rename(text: str) -> str:
        label = parse(text)
        if seed is not None:
            label = Label(label.family, (*label.variables, (SEED, str(seed))))
        return f"{name}:{label}" if name else str(label)

    return rename


def _recommendation(search: Search | None, rename: Callable[[str], str]) -> str:
    """What a run's search recommends, its labels as the comparison has them."""
    if search is None:
        return ""
    trials = tuple(
        trial.model_copy(update={"systems": tuple(map(rename, trial.systems))})
        for trial in search.trials
    )
    names = {"candidate": rename(search.candidate), "trials": trials}
    if search.reference:
        names["reference"] = rename(search.reference)
    return verdict(search.model_copy(update=names))


def _renamed(record: RunRecord, rename: Callable[[str], str]) -> RunRecord:
    """The same record, its labels telling run and seed."""

    def model(info: ModelInfo) -> ModelInfo:
        return info.model_copy(update={"label": rename(info.label)})

    stages = {stage.name for stage in record.stages}
    return record.model_copy(
        update={
            "stages": tuple(_renamed_stage(stage, stages, rename) for stage in record.stages),
            "scores": tuple(
                score.model_copy(
                    update={
                        "model": model(score.model),
                        "comparison": score.comparison
                        and score.comparison.model_copy(
                            update={"label": rename(score.comparison.label)}
                        ),
                    }
                )
                for score in record.scores
            ),
            "speeds": tuple(
                speed.model_copy(update={"model": model(speed.model)}) for speed in record.speeds
            ),
            "alignment": tuple(
                aligned.model_copy(
                    update={"model": model(aligned.model), "base": rename(aligned.base)}
                )
                for aligned in record.alignment
            ),
            "fertility": tuple(
                counted.model_copy(update={"label": rename(counted.label)})
                for counted in record.fertility
            ),
        }
    )


def _renamed_stage(
    stage: StageRecord, names: set[str], rename: Callable[[str], str]
) -> StageRecord:
    inputs = tuple(rename(text) if text in names else text for text in stage.inputs)
    return stage.model_copy(update={"name": rename(stage.name), "inputs": inputs})
