"""Model cards with a `model-index`, which the Hugging Face hub shows as evaluation results.

>>> cards(run)["int8"].splitlines()[:4]
['---', 'language:', '- ar', '- bg']

One card per system with scores, and one per model of those that were merged. The front matter has
only what is known: no licence, and no base model that was not recorded. Rows from the hub are named
by the id and commit of their data set; other rows by a name that no data set of the hub has, and by
their digest. Values are in percent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evalsuite.data.sourced import SourcedTask
from evalsuite.errors import UnknownNameError
from evalsuite.opening.hub import HubId
from evalsuite.own.own_hub import OwnHub
from evalsuite.registry import TASKS
from evalsuite.report.figures.names import metric_name
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.sources import BADGES
from evalsuite.report.figures.systems import System, group
from evalsuite.report.output.templating import template
from evalsuite.report.tables.costs import cost_tables
from evalsuite.report.tables.languages import language_section
from evalsuite.report.tables.signatures import signatures
from evalsuite.results.numbers import is_percent
from evalsuite.results.run import RunRecord
from evalsuite.results.task import TaskResult
from evalsuite.scoring import hub_names
from evalsuite.task import Format, Task

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TASK_TYPES: dict[Format, str] = {  # the hub's names
    "pair": "text-classification",
    "regression": "text-classification",
    "multilabel": "text-classification",
    "tagging": "token-classification",
    "span": "question-answering",
    "choice": "multiple-choice",
    "retrieval": "sentence-similarity",
    "mining": "sentence-similarity",
    "ranking": "sentence-similarity",
}
_BY_VECTORS = "sentence-similarity"  # also where a model without a head scores two texts
LIBRARIES = {"torch": "transformers", "onnxruntime": "onnx", "openvino": "openvino"}


def cards(run: RunRecord) -> dict[str, str]:
    """The text of each system's card, by the system's name."""
    return {system.name: card(run, system) for system in group(run) if system.scores}


def model_cards(run: RunRecord) -> dict[str, str]:
    """The cards of models that were merged, by the labels of their stages.

    The card of the system `nli` has the scores of all its models; that of `nli[task=xnli]` has
    those of this one alone.
    """
    systems = {system.name for system in group(run)}
    found: dict[str, str] = {}
    for label in dict.fromkeys(score.model.label for score in run.scores):
        if label not in systems:
            scores = tuple(score for score in run.scores if score.model.label == label)
            speeds = tuple(speed for speed in run.speeds if speed.model.label == label)
            found[label] = card(run, System(label, (scores[0].model,), scores, speeds))
    return found


def card(run: RunRecord, system: System) -> str:
    """One system's card: front matter, scores by language, size and speed, signatures."""
    part = run.model_copy(update={"scores": system.scores, "speeds": system.speeds})
    sources = dict.fromkeys(score.source for score in system.scores)
    body = template("card.md.j2").render(
        run=run,
        system=system,
        about=system.description,
        badge=" and ".join(BADGES[source] for source in sources),
        languages=[language_section((system,), task) for task in columns(system.scores)],
        costs=cost_tables((system,)),
        signatures=signatures(part),
    )
    return f"---\n{_front_matter(run, system)}\n---\n{body}"


def _front_matter(run: RunRecord, system: System) -> str:
    from huggingface_hub import ModelCardData

    codes = {code for score in system.scores for code in score.metrics[score.main_metric]}
    data = ModelCardData(
        language=sorted(codes | {score.source_language for score in system.scores}),
        library_name=LIBRARIES.get(system.models[0].runtime),
        pipeline_tag=pipeline_tag(system),
        base_model=base_model(run, system),
        tags=["multilingual", "lingopress"],
        model_name=f"{run.recipe}:{system.name}",
        eval_results=list(eval_results(system)),
    )
    text: str = data.to_yaml()
    return text.rstrip()


def pipeline_tag(system: System) -> str | None:
    """What the hub's widgets would run: the task of the head, where all heads have one."""
    types = {kind for score in system.scores if (kind := _task_type(score)) is not None}
    heads = types - {_BY_VECTORS}
    if not heads:
        return "feature-extraction" if types else None
    return heads.pop() if len(heads) == 1 else None


def _task_type(score: TaskResult) -> str | None:
    """The hub's name of what a model did; None for a task that this version does not know."""
    task = _task(score)
    if task is None:
        return None
    return _BY_VECTORS if score.pooling is not None else TASK_TYPES[task.format]


def base_model(run: RunRecord, system: System) -> str | None:
    """The one hub model that everything came from, by the stages' inputs; None if unclear."""
    inputs = {stage.name: stage.inputs for stage in run.stages}
    sources, seen = set(), set()
    left = [model.label for model in system.models]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in inputs:
            left += inputs[name]
        else:
            sources.add(name)
    name = sources.pop() if len(sources) == 1 else ""
    hub = HubId.parse(name)
    return hub.repo if hub is not None and name not in {m.label for m in system.models} else None


def eval_results(system: System) -> Iterator[EvalResult]:
    """One result per (task, language, metric), in the terms of the hub."""
    from huggingface_hub import EvalResult

    several, hub = len(system.models) > 1, hub_names()
    for score in system.scores:
        task = _task(score)
        settings = {"layer": score.layer, "pooling": score.pooling, "seed": score.seed}
        args = {name: value for name, value in settings.items() if value is not None}
        if several:
            args["model"] = score.model.label
        for metric, by_language in score.metrics.items():
            for language, value in by_language.items():
                yield EvalResult(
                    task_type=_task_type(score) or "other",
                    task_name=score.title,
                    **_data(score, task, language),
                    dataset_split=score.split,
                    metric_type=hub.get(metric, metric),
                    metric_name=metric_name(metric) + " (%)" * is_percent(metric),
                    metric_value=value,
                    metric_args=args,
                )


def _data(score: TaskResult, task: Task | None, language: str) -> dict[str, Any]:
    """The data set of a score. Only rows from the hub are given the name of a hub data set."""
    args = {"language": language, "source": score.source, "rows": score.examples.get(language)}
    if score.source == "hub" and isinstance(task, SourcedTask):
        source = task.hub_source(language)
        if source is not None:
            return {
                "dataset_type": source.repo,
                "dataset_name": score.title,
                "dataset_config": task.hub_config(language),
                "dataset_revision": source.revision,
                "dataset_args": {**args, "digest": score.data_digest},
            }
    if isinstance(task, OwnHub):
        return {
            "dataset_type": task.source.repo,
            "dataset_name": score.title,
            "dataset_config": task.hub_config(language, score.split),
            "dataset_revision": task.source.revision,
            "dataset_args": {**args, "digest": score.data_digest},
        }
    return {
        "dataset_type": f"{score.source}-{score.task}",
        "dataset_name": f"{score.title}: {BADGES[score.source]}",
        "dataset_config": language,
        "dataset_revision": score.data_digest,
        "dataset_args": args,
    }


def _task(score: TaskResult) -> Task | None:
    """The catalogue's task; None for one this version does not know."""
    try:
        return TASKS.get(score.task)
    except UnknownNameError:
        return None
