"""The stages of a comparison that were worked for: a stage that runs share is there once.

>>> [(stage.name, stage.inputs) for stage in worked_once(merge([Run(one), Run(two)]))]
[('one:student', ('base',)), ('one:small', ('one:student',)), ('two:small', ('one:student',))]
"""

from __future__ import annotations

from evalsuite.results.run import RunRecord, StageRecord


def worked_once(run: RunRecord) -> tuple[StageRecord, ...]:
    """All stages of a run; of a comparison those of later runs that came from the cache left out.

    Inputs then name the stage that is kept.
    """
    if not run.runs:
        return run.stages
    kept: dict[tuple[str, str], StageRecord] = {}
    names = {}
    for stage in run.stages:
        names[stage.name] = kept.setdefault((stage.key, stage.finished), stage).name
    return tuple(
        stage.model_copy(update={"inputs": tuple(names.get(text, text) for text in stage.inputs)})
        for stage in kept.values()
    )
