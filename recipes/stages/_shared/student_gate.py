"""The comparison of a distilled student with its teacher, and its limits."""

from __future__ import annotations

from pydantic import Field

from evalsuite.task import Task
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, StageContext, Summary
from recipes.stages._shared.heads import head_format, text_of
from recipes.stages._shared.score_gate import (
    ProbeTask,
    ScoreGateConfig,
    hold_labels,
    hold_score,
    is_encoder,
    refuse_unscored,
)
from recipes.stages._shared.training_keys import probed

_REMEDY = "keep more of the teacher, train for longer"
_NO_TEXT = "nothing says which text the teacher reads; set probe_task"
_OTHER_LABELS = "their labels are others; leave the limits on labels and score out"
_OTHER_WIDTH = (
    "the student has no task head, and its vectors have another width than the teacher's, so they "
    "cannot be compared; set max_lost in place of min_agreement"
)


class StudentGateConfig(ScoreGateConfig):
    """Comparison of the student's labels with the teacher's."""

    probe: int = Field(
        default=32,
        ge=0,
        description="Sentences per language on which labels of student and teacher are compared; "
        "0: no comparison.",
    )
    probe_task: ProbeTask = None
    min_agreement: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Least share of the student's labels that must equal the teacher's, in "
        "percent; of encoders, 100 times the mean cosine of their vectors.",
    )


def compared_task(config: StudentGateConfig, student: Artifact) -> Task | None:
    """Whose text student and teacher are compared on; None where they are not compared.

    Encoders are compared where a recipe names a task or sets a limit.
    """
    said = config.probe_task or student.task or text_of(student)
    if said is None and not (_limited(config) and is_encoder(student)):
        return None
    return probed(config.probe_task, student)


def refuse_unmeasured(
    config: StudentGateConfig, teacher: Artifact, student: Artifact, *, narrow: bool
) -> None:
    """Raise StageInputError where limits are set that cannot be measured, as far as is known ahead.

    Args:
        narrow: whether the student is made narrower than its teacher.
    """
    if not _limited(config):
        return
    if compared_task(config, student) is None:
        raise StageInputError(f"probe_task: {_NO_TEXT}")
    pairs = ((teacher, student), (student, teacher))
    if any(is_encoder(one) and head_format(other) is not None for one, other in pairs):
        raise StageInputError(
            "min_agreement, max_lost: only one of teacher and student has a task head, so their "
            "answers cannot be compared; leave the limits out"
        )
    if narrow and is_encoder(student) and _agreement_limited(config):
        raise StageInputError(f"min_agreement: {_OTHER_WIDTH}, or leave width out")
    refuse_unscored(config, config.probe_task, student)


def compare_student(config: StudentGateConfig, ctx: StageContext) -> Summary:
    """Compare the answers of student and teacher, and refuse a student that lost too much.

    Raises:
        GateError: more was lost than the keys allow, or the limits cannot be measured.
    """
    from compress.distill.own_pieces import parity
    from compress.errors import GateError
    from evalsuite.inference.checkpoint_config import model_config
    from evalsuite.inference.label_order import same_names
    from evalsuite.inference.open_model import open_model

    models = (ctx.input("teacher"), *ctx.inputs.get("student", ()))
    known = (it.artifact for it in models if it.artifact.task or text_of(it.artifact))
    task = compared_task(config, next(known, Artifact("checkpoint")))
    teacher = ctx.input("teacher").path
    first, second = open_model(teacher), open_model(ctx.out)
    if task is None or not same_names(first.labels, second.labels):
        if _limited(config):
            why = _NO_TEXT if task is None else _OTHER_LABELS
            raise GateError(f"distil: student and teacher cannot be compared: {why}")
        return {}
    widths = {model_config(path)["hidden_size"] for path in (teacher, ctx.out)}
    summary: Summary = {}
    if config.probe and (first.labels or len(widths) == 1):
        compared = parity(first, second, task, ctx.data, config.probe)
        summary |= compared.facts()
        hold_labels(config, config.min_agreement, compared, "distil", _REMEDY)
    elif _agreement_limited(config):
        raise GateError(f"distil: {_OTHER_WIDTH}")
    return summary | hold_score(config, ctx, teacher, task, "distil", _REMEDY)


def _limited(config: StudentGateConfig) -> bool:
    """Whether the recipe limits what may be lost."""
    return _agreement_limited(config) or config.scored


def _agreement_limited(config: StudentGateConfig) -> bool:
    """Whether the recipe limits how many answers may change."""
    return config.min_agreement > 0 or config.min_agreement_per_language > 0
