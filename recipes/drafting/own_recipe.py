"""The text of the recipe for a person's data: declared, trained, made small, measured, reported.

>>> print(own_recipe(plan))
# topics: a text and its label, written by lingopress init.
...
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evalsuite.guess.guessed import GUESSES
from evalsuite.guess.survey import Survey
from evalsuite.languages import SOURCE_LANGUAGE
from recipes.drafting.budget import Budget, Shape, Student
from recipes.drafting.defaults import training_for
from recipes.parsing.write_yaml import dump

_UNEVEN = 1.5  # times the share of even labels, from which on each label should count alike
_PAIRS = 2000  # of parallel text per language: a student sees fewer than these hold


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe is written from.

    Attributes:
        file: the recipe's name, for the commands in it.
        declaration: of the task, as `evalsuite.guess.declare` found it.
        corpus: languages of the task with text under `--data-dir`; empty without one.
        text: further files of text, for the vocabulary.
    """

    name: str
    file: str
    declaration: Mapping[str, Any]
    seen: Survey
    model: str
    shape: Shape
    student: Student
    budget: Budget | None
    data_dir: str | None
    corpus: tuple[str, ...]
    text: tuple[str, ...]


def own_recipe(plan: Plan) -> str:
    """The recipe."""
    return "\n".join([*_head(plan), *_task(plan), *_stages(plan)]) + "\n"


def what(format: str) -> str:
    """What a row of a format is: `a text and its label`."""
    line = (GUESSES.get(format).__doc__ or "").split("\n")[0].rstrip(".")
    return line[:1].lower() + line[1:]


def _head(plan: Plan) -> list[str]:
    file = shlex.quote(plan.file)
    more = f" --data-dir {shlex.quote(plan.data_dir)}" if plan.data_dir else ""
    source = (
        "source: xtreme  # the parallel text under --data-dir; the task has its own files, below"
        if plan.corpus
        else "source: files  # only the files named here are read"
    )
    return [
        f"# {plan.name}: {what(plan.declaration['format'])}. Written by lingopress init; change "
        "what you like.",
        f"#   lingopress check {file}{more}",
        f"#   lingopress run {file}{more}",
        "# The keys of a stage, with what they mean: lingopress ls stages train",
        f"name: {flow(plan.name)}",
        source,
        "seed: 1",
        "",
    ]


def _task(plan: Plan) -> list[str]:
    declaration = plan.declaration
    rows = plan.seen.rows
    lines = ["tasks:", f"  {flow(plan.name)}:", f"    format: {declaration['format']}"]
    for split in ("train", "dev", "test"):
        if split in declaration:
            counts = rows.get(split, {})
            place = declaration[split]
            lines.append(f"    {split}: {flow(place)}  # {_counted(counts)}")
    if "columns" in declaration:
        lines.append(f"    columns: {flow(declaration['columns'])}")
    if "labels" in declaration:
        lines.append(f"    labels: {flow(declaration['labels'])}")
    if metric := _metric(plan):
        lines.append(f"    metric: {metric}  # each label counts alike, however rare; or accuracy")
    return [*lines, ""]


def _metric(plan: Plan) -> str | None:
    """Macro F1 where labels are of uneven frequency and accuracy would hide the rare ones."""
    counts = plan.seen.labels.values()
    if plan.declaration["format"] not in ("classification", "pair") or not counts:
        return None
    return "macro_f1" if max(counts) > _UNEVEN * sum(counts) / len(counts) else None


def _counted(counts: Mapping[str, int]) -> str:
    """`204 rows in each of 30 languages`."""
    few, many = min(counts.values(), default=0), max(counts.values(), default=0)
    if len(counts) < 2:
        return f"{many:,} rows"
    shown = f"{many:,}" if few == many else f"{few:,} to {many:,}"
    return f"{shown} rows in each of {len(counts)} languages"


def _stages(plan: Plan) -> list[str]:
    task = flow(plan.name)
    train = plan.seen.rows.get("train", {})
    values = training_for(sum(train.values()), plan.shape.width, plan.seen.tokens)
    length = f", max_length: {values.max_length}" if values.max_length != 128 else ""
    fit = f"batch_size: {values.batch_size}{length}"
    trims = bool(plan.corpus or plan.text)
    words = ", embeddings: int4" if plan.student.int4_embeddings else ""
    whole = plan.budget is None and plan.student.layers < plan.shape.layers
    bundles = "int8, int8_all_layers" if whole else "int8"
    return [
        "stages:",
        f"  # Train the whole encoder on the rows in {_listed(train)}. Another encoder: its",
        "  # folder, as ./model, or its name on the hub; package:recipes/models/e5-mini ships.",
        "  # Its word embeddings stay as they are, which protects languages without rows.",
        f"  - {{name: teacher, stage: train, model: {flow(plan.model)}, tasks: [{task}], "
        f"method: full, freeze_embeddings: true, epochs: {values.epochs}, "
        f"learning_rate: {values.learning_rate}, {fit}}}",
        *(_trim(plan) if trims else ()),
        *_distil(plan, fit, 2 * values.epochs),
        "  # Store it in int8, to run with ONNX Runtime on a CPU." + _expected(plan, trims),
        f"  - {{name: int8, stage: export, model: student, precision: int8{words}}}",
        *(_all_layers(plan, trims) if whole else ()),
        "  # Scores in every language, speed and size, and one report of it all.",
        f"  - {{name: scores, stage: evaluate, models: [teacher, student, {bundles}], tasks: "
        f"[{task}]}}",
        f"  - {{name: speed, stage: benchmark, models: [teacher, {bundles}], task: {task}}}",
        "  - {name: report, stage: report, results: [scores, speed]}",
    ]


def _all_layers(plan: Plan, trims: bool) -> list[str]:
    """A bundle of the teacher, where no budget says how small a model must be.

    Many scores of a regressor with all layers change by more than the gate allows, so there the
    scores below decide.
    """
    gate = ", min_agreement: 0" if plan.declaration["format"] == "regression" else ""
    return [
        "  # The same with all layers: slower than the student, and closer to the teacher.",
        f"  - {{name: int8_all_layers, stage: export, model: {'trimmed' if trims else 'teacher'}, "
        f"precision: int8{gate}}}",
    ]


def _expected(plan: Plan, trims: bool) -> str:
    """Size, and what the student was chosen for."""
    known = plan.student.pieces is not None or not trims
    size = f" About {plan.shape.megabytes(plan.student):.0f} MB." if known else ""
    if plan.budget is None or plan.budget.megabytes is not None:
        return size
    time = plan.shape.milliseconds(plan.student.layers)
    return f"{size} A sentence is expected to take {time:.1f} ms on two cores."


def _keeps_vocabulary(plan: Plan) -> bool:
    """Whether the student of a trimmed checkpoint can learn from a teacher with all its pieces."""
    return plan.declaration["format"] not in ("span", "choice", "retrieval")


def _trim(plan: Plan) -> list[str]:
    keys = []
    if plan.corpus:
        keys.append(f"languages: {flow(list(plan.corpus))}")
    if plan.text:
        keys.append(f"text: {flow(list(plan.text))}")
    keys.append(
        "coverage: 0.999" if plan.student.pieces is None else f"max_pieces: {plan.student.pieces}"
    )
    lines = [
        "  # Leave out the pieces of the vocabulary that text in these languages hardly needs."
    ]
    if _keeps_vocabulary(plan):
        lines.append(
            "  # This changes some answers; the student learns them from the teacher below."
        )
        keys.append("probe: 0")
    else:
        keys.append("min_agreement: 95")
    return [*lines, f"  - {{name: trimmed, stage: trim, model: teacher, {', '.join(keys)}}}"]


def _distil(plan: Plan, fit: str, epochs: int) -> list[str]:
    lines = [
        f"  # Teach a student of {plan.student.layers} of the {plan.shape.layers} layers to answer "
        "as the teacher does."
    ]
    trims = bool(plan.corpus or plan.text)
    multilingual = "multilingual: 0.5"
    if plan.text:
        multilingual += f", text: {flow(list(plan.text))}"
    elif plan.corpus:
        multilingual += f", prose: true, max_pairs: {_PAIRS}"
    if trims:
        lines.append("  # Half of its batches are sentences in other languages, without labels.")
    else:
        multilingual = "multilingual: 0"
        lines += [
            "  # With text in the other languages, a sentence per line, these lose less: write",
            "  # text: [de.txt, hi.txt], multilingual: 0.5.",
        ]
    start, rate = "teacher: teacher", "freeze_embeddings: true, learning_rate: 1.0e-4"
    if trims and _keeps_vocabulary(plan):
        start, rate = "teacher: teacher, student: trimmed", "learning_rate: 3.0e-4"
    elif trims:
        start = "teacher: trimmed"
    return [
        *lines,
        f"  - {{name: student, stage: distill, {start}, tasks: [{flow(plan.name)}], layers: "
        f"{plan.student.layers}, {multilingual}, epochs: {epochs}, {rate}, {fit}}}",
    ]


def _listed(counts: Mapping[str, int]) -> str:
    codes = list(counts) or [SOURCE_LANGUAGE]
    return ", ".join(codes) if len(codes) <= 6 else f"{len(codes)} languages"


def flow(value: Any) -> str:
    """A value as one line of YAML, such as `{en: train.csv}` or `"no"`."""
    text = dump(value, default_flow_style=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...").strip()
