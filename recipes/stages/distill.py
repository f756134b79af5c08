"""Train a smaller student from a teacher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from compress.distill import model_rules, rules
from evalsuite.home_path import home_path
from recipes.errors import NotKnownAheadError, StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    PARALLEL,
    Artifact,
    DataNeed,
    ModelRef,
    ModelRefs,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.distilled_text_keys import DistilledTextKeys, text_problems
from recipes.stages._shared.elastic_keys import (
    cut_sizes,
    elastic_memory,
    elastic_problems,
    elastic_work,
)
from recipes.stages._shared.families import refuse_dimensions, refuse_layers, refuse_unknown
from recipes.stages._shared.plain_text_keys import (
    opened_stream,
    plain_text,
    refuse_unpinned,
    streamed_files,
    translates,
)
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.student_gate import (
    StudentGateConfig,
    compare_student,
    compared_task,
    refuse_unmeasured,
)
from recipes.stages._shared.student_keys import StudentKeys, student_problems
from recipes.stages._shared.student_keys import unused_keys as unused_keys
from recipes.stages._shared.student_start import (
    apart,
    gets_head,
    head_of_student,
    other_head,
    planned_student,
    refuse_other,
)
from recipes.stages._shared.training_keys import (
    TaskTrainingConfig,
    distillation,
    known_tasks,
    need,
    same_labels,
    smaller_batch,
    tasks,
    training_rows,
)
from recipes.stages._shared.training_keys import cost as cost
from recipes.stages._shared.vector_keys import DistilledVectorKeys, check_dimensions

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 18
PASS = True


class Config(
    TaskTrainingConfig, StudentKeys, StudentGateConfig, DistilledVectorKeys, DistilledTextKeys
):
    """Which teacher, which student, and the weight of each loss; a weight of 0 removes it."""

    tasks: tuple[TaskName, ...] = Field(
        default=(),
        description="Tasks whose training rows are used; an empty list uses multilingual text "
        "alone.",
    )
    teacher: ModelRef = Field(
        description="Teacher: a checkpoint, or a bundle, which gives logits only."
    )
    teacher_precision: Literal["fp32", "bf16", "int8", "nf4"] = Field(
        default="fp32",
        description="Precision of the teacher checkpoint's linear layers while it teaches.",
    )
    student: ModelRef | None = Field(
        default=None,
        description="Checkpoint that the student starts from; default: the teacher.",
    )
    others: ModelRefs = Field(
        default=(), description="Further teachers; the logits of all teachers are averaged."
    )
    cache: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="When the teacher's logits are computed: once per row before training "
        "(always), with every batch (never), or whichever computes less (auto).",
    )
    logits: float = Field(
        default=1.0, ge=0, description="Weight of the loss on the teacher's logits; 0: off."
    )
    hidden: float = Field(
        default=1.0,
        ge=0,
        description="Weight of the loss on the teacher's hidden states, which needs the same "
        "width; with another tokenizer on text without labels only; 0: off.",
    )
    labels: float = Field(
        default=0.0, ge=0, description="Weight of the task's own loss on gold labels; 0: off."
    )
    relations: float = Field(
        default=0.0,
        ge=0,
        description="Weight of the loss on attention relations (MiniLMv2), which works for any "
        "width; 0: off.",
    )
    relation_heads: int | None = Field(
        default=None,
        ge=1,
        description="Number of relation heads; default: the teacher's attention heads, or the "
        "student's where only these divide both widths.",
    )
    relation_layer: int | None = Field(
        default=None,
        ge=0,
        description="Teacher layer of the attention relations, counted from 0, the lowest; "
        "default: the last, of 24 layers the nineteenth.",
    )
    temperature: float = Field(
        default=2.0,
        gt=0,
        description="Distillation temperature, which divides the logits of teacher and student.",
    )
    multilingual: float = Field(
        default=0.5, ge=0, lt=1, description="Share of batches of plain text; epochs count all."
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the teacher's head."""
    (teacher,) = inputs["teacher"]
    need(teacher, "teacher", "checkpoint", "bundle")
    head = teacher.task
    known = known_tasks(config.tasks, labelled=True)
    check_dimensions(config)
    if teacher.task is None and not teacher.external and (config.logits > 0 or config.labels > 0):
        raise StageInputError(
            "teacher: has no task head, so there are no logits to match; "
            "set logits: 0 and labels: 0, or train it first"
        )
    unlabelled = [task.name for task in known if task.by_embedding]
    choices = any(task.format == "choice" for task in known)
    problems = rules.nothing_matched(
        config, bool(known), config.multilingual, unlabelled, choices=choices
    )
    problems += rules.logits_only(config)
    problems += text_problems(config, teacher)
    if config.stream is not None:
        refuse_unpinned(config)
        problems += rules.streamed(config, teacher.kind == "bundle", prefix=config.prefix)
    if teacher.kind == "bundle":
        problems += rules.bundle_teacher(config, "teacher")
    problems += student_problems(config)
    for student in inputs.get("student", ()):
        problems += apart(config, student, teacher) + other_head(config, student, teacher)
        problems += model_rules.static_student(
            config, student.family, config.layers, checkpointing=config.gradient_checkpointing
        )
    start = next(iter(inputs.get("student", ())), teacher)
    problems += elastic_problems(config.elastic, config.whole(), start)
    problems += rules.vector_keys(config.prefix, head is not None)
    if problems:
        raise StageInputError("\n".join(problems))
    if config.student is None:
        refuse_unknown(teacher, "teacher")
        refuse_layers(teacher, config.layers)
        refuse_dimensions(teacher, config.width, config.heads)
    others = inputs.get("others", ())
    named = len(others) == len(config.others)  # else a name is of several variants
    names = config.others if named else ["a further teacher"] * len(others)
    for name, other in zip(names, others, strict=True):
        need(other, "others", "checkpoint", "bundle")
        refuse_other(other, teacher, name)
    for student in inputs.get("student", ()):
        need(student, "student", "checkpoint")
        head = head_of_student(config, student, head)
    outputs_only = config.hidden == config.relations == 0
    if outputs_only and unlabelled:
        raise StageInputError(
            "hidden, relations: both are 0, and a teacher without a head gives nothing else to "
            "learn; set one above 0"
        )
    same_labels(known, "teacher", teacher)
    gives = _student(config, teacher, inputs.get("student", ()), head)
    refuse_unmeasured(config, teacher, gives, narrow=config.width is not None)
    return gives


def _student(
    config: Config, teacher: Artifact, students: Sequence[Artifact], head: str | None
) -> Artifact:
    """What is known of the student, which ends with the head of this task."""
    family, facts, tokenizer = teacher.family, teacher.head, teacher.tokenizer
    for student in students:
        family, tokenizer = student.family, student.tokenizer
        if not gets_head(config, student):
            facts = student.head
    return Artifact(
        "checkpoint",
        task=head,
        external=teacher.external and head is None,
        family=family,
        head=facts,
        tokenizer=tokenizer,
        cuts=cut_sizes(config.elastic, *config.whole()),
    )


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Training rows; where it is used, parallel text and what is kept out of it."""
    needs = tuple(training_rows(task) for task in config.tasks)
    plain = config.multilingual > 0 or not config.tasks
    if config.stream is None:
        needs += plain_text(config, plain=plain)
    else:
        needs += streamed_files(config)
        needs += (PARALLEL, HELD_OUT) if translates(config) else (HELD_OUT,)
    task = compared_task(config, gives)
    if task is not None and (config.probe or config.scored):
        needs += (DataNeed(task.name, "eval"),)
    return needs


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The student."""
    return planned_student(config, models["teacher"][0], models.get("student", ()))


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """What training holds at its peak, the teacher among it."""
    from compress.memory import distilling

    student = elastic_memory(config, planned(config, models))
    return distilling(student, models["teacher"][0].shape(), config.teacher_precision)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The steps of the student, the teacher on the same rows, and the comparison of both."""
    from recipes.stages._shared.distilling_work import student_work
    from recipes.stages._shared.planned_work import gate

    if config.stream is not None or config.text:
        raise NotKnownAheadError("its text is in files")
    if config.sentences or config.others or models.get("student"):
        raise NotKnownAheadError("its student or its teachers are others than usual")
    (teacher,) = models["teacher"]
    student = replace(planned(config, models), tokenizer=teacher.tokenizer)
    done = student_work(config, student, teacher, text)
    done += elastic_work(config.elastic, student, done)
    task = compared_task(config, gives)
    return done if task is None else done + gate(config, [teacher, student], task, text)


def less_memory(config: Config) -> Iterator[dict[str, Any]]:
    """Activations computed again, fewer rows at once, a quantized teacher; then all.

    Not fewer rows where the rows of a batch are searched: of one there is nothing to find.
    """
    again = {"gradient_checkpointing": True}
    fewer = again if config.contrast > 0 else smaller_batch(config) | again
    yield again
    if fewer != again:
        yield smaller_batch(config)
    yield {"teacher_precision": "nf4"}
    yield {"teacher_precision": "nf4"} | fewer


def run(config: Config, ctx: StageContext) -> Summary:
    """Distil."""
    from compress.distill.distill import distill
    from compress.distill.narrow import Shape
    from transfer.objectives.sentence_vectors import SentenceVectors

    plain = config.multilingual > 0 or not config.tasks  # a variant may read none
    dimensions = config.matryoshka if config.sentences > 0 else ()  # nor train any vectors
    options = distillation(
        config,
        ctx,
        layers=config.layers,
        layer_choice=config.layer_choice,
        teacher_layers=config.teacher_layers,
        dropout=config.dropout,
        elastic=None if config.elastic is None else config.elastic.sizes(),
        relations=config.relations,
        relation_heads=config.relation_heads,
        relation_layer=config.relation_layer,
        sentences=config.sentences,
        contrast=config.contrast,
        each_side=config.sentence_targets == "each",
        vectors=SentenceVectors(prefix=config.prefix, dimensions=dimensions),
        teacher_precision=config.teacher_precision,
        others=tuple(other.path for other in ctx.inputs.get("others", ())),
        cache=config.cache,
        stream=opened_stream(config, ctx),
        alpha=config.sampling_exponent,
        text=tuple(home_path(path) for path in config.text),
        balance_labels=config.balance_labels and plain,
        prose=config.prose,
        skip_longer=config.skip_longer,
        languages=tuple(code for code in config.languages if code != "en"),
        shape=Shape(config.width, config.heads, config.ffn),
        student=ctx.inputs["student"][0].path if ctx.inputs.get("student") else None,
    )
    _, facts = distill(
        ctx.input("teacher").path,
        tasks(config.tasks),
        ctx.data,
        options,
        work=ctx.work,
        out=ctx.out,
        progress=ctx.progress,
    )
    return facts | compare_student(config, ctx)
