"""The recipe for a checkpoint that is tuned already: trimmed, in int8, compared, measured.

>>> print(shrink_recipe(Shrink(name="nli-small", model="./nli", head="pair", ...)))
# nli-small: ./nli made smaller. Written by lingopress shrink.
...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recipes.drafting.own_recipe import flow

# What embedded rows a head without text of the person is compared on; an encoder takes any.
EMBEDDED = {"pair": "xnli", "tagging": "panx", None: "tatoeba"}


@dataclass(frozen=True, slots=True)
class Shrink:
    """What a recipe is written from.

    Attributes:
        head: format of the model's head; None for an encoder.
        labels: of the head; empty where it has fewer than two.
        languages: to keep in the vocabulary; empty to leave it whole.
        corpus: whether their text is the corpus under `--data-dir`.
        text: files of text otherwise.
        sample: path of the sentences that are compared; None to use embedded ones.
        task: declaration of the person's labelled rows.
    """

    name: str
    model: str
    head: str | None
    labels: tuple[str, ...]
    runtime: str
    precision: str
    languages: tuple[str, ...] = ()
    corpus: bool = False
    text: tuple[str, ...] = ()
    sample: str | None = None
    task: Mapping[str, Any] | None = None

    @property
    def only_files(self) -> bool:
        """Whether no text but the person's files is read."""
        return not self.corpus and bool(self.sample or self.task)


def shrink_recipe(plan: Shrink) -> str:
    """The recipe."""
    compared = "rows" if plan.task else "sentences" if plan.sample else EMBEDDED[plan.head]
    trims = bool(plan.corpus or plan.text)
    lines = [
        f"# {plan.name}: {plan.model} made smaller. Written by lingopress shrink; change what you "
        "like.",
        f"name: {flow(plan.name)}",
        f"source: {_source(plan)}",
        "seed: 1",
        *_tasks(plan),
        "stages:",
    ]
    model = flow(plan.model)
    if trims:
        which = (
            f"languages: {flow(list(plan.languages))}"
            if plan.corpus
            else (f"text: {flow(list(plan.text))}")
        )
        lines += [
            f"  # Leave out the pieces of the vocabulary that text in {' '.join(plan.languages)} "
            "hardly needs.",
            f"  - {{name: trimmed, stage: trim, model: {model}, {which}, coverage: 0.999, "
            f"probe_task: {compared}, min_agreement: 95}}",
        ]
    lost = ", max_lost: 2" if plan.task and _has_labels(plan) else ""
    lines += [
        f"  # Store it in {plan.precision} for {plan.runtime}; where too many answers change, this "
        "is refused.",
        f"  - {{name: bundle, stage: export, model: {'trimmed' if trims else model}, runtime: "
        f"{plan.runtime}, precision: {plan.precision}, probe_task: {compared}{lost}"
        + (", calibration_text: parallel" if plan.corpus else "")
        + "}",
        "  # Size and speed, before and after, and one report.",
        f"  - {{name: speed, stage: benchmark, models: [{model}, bundle], task: {compared}}}",
    ]
    results = ["speed"]
    if lost:
        lines.append(
            f"  - {{name: scores, stage: evaluate, models: [{model}, bundle], tasks: [rows]}}"
        )
        results.insert(0, "scores")
    lines.append(f"  - {{name: report, stage: report, results: [{', '.join(results)}]}}")
    return "\n".join(lines) + "\n"


def _source(plan: Shrink) -> str:
    if plan.corpus:
        return "xtreme  # the parallel text under --data-dir"
    if plan.only_files:
        return "files  # only the files named here are read"
    return "embedded  # generated sentences in twelve languages, which come with lingopress"


def _has_labels(plan: Shrink) -> bool:
    return bool(plan.task and plan.task.get("test"))


def _tasks(plan: Shrink) -> list[str]:
    if plan.task is None and plan.sample is None:
        return []
    lines = ["tasks:"]
    if plan.task is not None:
        lines.append("  rows:  # labelled rows: what is compared and scored")
        lines += [f"    {key}: {flow(value)}" for key, value in plan.task.items()]
    elif plan.head == "tagging":
        lines += [
            "  sentences:  # without tags: answers before and after are compared",
            "    format: tagging",
            f"    test: {flow(plan.sample)}",
            f"    labels: {flow(list(plan.labels))}",
        ]
    else:
        lines += [
            "  sentences:  # without labels: answers before and after are compared",
            "    format: classification",
            f"    test: {flow(plan.sample)}",
            "    columns: {text: 1, label: 2}",
            f"    labels: {flow(list(plan.labels) or ['0', '1'])}",
        ]
    return lines
