"""Merge one adapter, or several combined, into the base weights they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from compress.fuse import rules
from compress.fuse.combinations import Combination, cut, sparse
from evalsuite.errors import MissingExtraError
from evalsuite.inference.task_head import answers_of_task, suits
from evalsuite.task import Task
from recipes.errors import NotKnownAheadError, StageInputError
from recipes.stages._shared.adapter_task import AdapterTask, with_task
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRef,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
)
from recipes.stages._shared.labelled_rows import refuse_unlabelled
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.score_gate import ProbeTask
from recipes.stages._shared.training_keys import dev_rows, need, probed
from recipes.stages._shared.unused_keys import unused
from transfer.find_task import find_task

if TYPE_CHECKING:
    from compress.fuse.fuse import Fused, Mix
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 7
_TOKENIZERS = 4  # times that one is opened
PASS = True
_ALONE = 2  # trials beyond each adapter alone: equal shares, all in full


class Config(StageConfig):
    """What is merged where, and on how much text the drift is measured."""

    renamed: ClassVar[Mapping[str, str]] = {"dev_rows": "dev_examples", "score": "score_rows"}

    model: ModelRef = Field(description="Adapter to fuse; its task head is kept.")
    others: ModelRefs = Field(
        default=(), description="Further adapters of the same base to combine with the model."
    )
    combine: Combination = Field(
        default="cat",
        description="How several adapters are combined: cat is the weighted sum of their "
        "updates, the others are methods of peft.",
    )
    weights: tuple[float, ...] | Literal["search"] | None = Field(
        default=None,
        description="Weights of the adapters, the model's first; search finds the best on "
        "English dev rows.",
    )
    density: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of values that ties, dare and magnitude_prune keep; they need it.",
    )
    rank: int | None = Field(
        default=None,
        ge=1,
        description="Rank to which the methods that end in svd cut the sum; default: the largest "
        "rank of the adapters.",
    )
    trials: int = Field(
        default=24, ge=1, description="Number of weight combinations that weights: search tries."
    )
    dev_examples: int = Field(
        default=500, ge=1, description="English dev rows that a search scores, at most."
    )
    onto: Literal["dequantized", "original"] = Field(
        default="dequantized",
        description="Base weights that the update is added to: as they were in training "
        "(dequantized), or the original ones.",
    )
    requantize: Literal["nf4", "int8"] | None = Field(
        default=None,
        description="Round the fused weights to this precision and measure the loss; default: no "
        "rounding.",
    )
    probe: int = Field(
        default=32,
        ge=0,
        description="Sentences per language on which the drift from the live adapter is "
        "measured; 0: not measured.",
    )
    probe_task: ProbeTask = None
    score_rows: int = Field(
        default=0,
        ge=0,
        description="Evaluation rows per language scored before and after fusing; 0: not scored.",
    )
    adapter_task: AdapterTask = None

    @model_validator(mode="after")
    def _keys_go_together(self) -> Config:
        if sparse(self.combine) and self.density is None:
            raise ValueError(f"combine: {self.combine} keeps a share of values; say density: 0.5")
        if not sparse(self.combine) and self.density is not None:
            raise ValueError(f"density: combine: {self.combine} keeps all values; leave it out")
        if self.rank is not None and not cut(self.combine):
            raise ValueError(f"rank: combine: {self.combine} cuts no rank; leave it out")
        return self


def unused_keys(config: Config) -> list[str]:
    """Keys of a search for weights that are written where there is none."""
    keys, remedy = ("trials", "dev_examples"), "set weights: search"
    searches = config.weights == "search"
    return unused(config, keys, "no weights are searched", remedy, off=not searches)


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the adapter's head."""
    (model,) = inputs["model"]
    if model.kind == "checkpoint":
        raise StageInputError(
            "model: is a whole checkpoint already, there is no adapter to fuse; "
            "leave this stage out"
        )
    need(model, "model", "adapter")
    model = with_task(model, config.adapter_task)
    if config.adapter_task not in (None, model.task):
        raise StageInputError(
            f"adapter_task: the model was trained on {model.task or 'text'}; leave the key out"
        )
    others = inputs.get("others", ())
    for other in others:
        if other.kind != "adapter":
            raise StageInputError(f"others: adapters are combined, this is a {other.kind}")
    if others:
        _check_weights(config, model, 1 + len(others))
        _check_alike(config, model, others)
    elif config.weights is not None or config.combine != "cat":
        raise StageInputError(
            "weights, combine: there is one adapter; name more of its base in others:"
        )
    if config.score_rows:
        _check_scored(model)
    return Artifact(
        "checkpoint",
        task=model.task,
        external=model.external and model.task is None,
        family=model.family,
        tokenizer=model.tokenizer,
    )


def _check_weights(config: Config, model: Artifact, count: int) -> None:
    if config.weights is None:
        raise StageInputError(
            f"weights: say how much of each of the {count} adapters, the model's first: "
            f"{[round(1 / count, 2)] * count}, or search"
        )
    if config.weights != "search":
        if problem := rules.weights_problem(len(config.weights), count):
            raise StageInputError(problem)
        return
    if not _labelled(model):
        raise StageInputError(
            "weights: search scores English dev rows of the model's task, and it has no task "
            "head; give numbers"
        )
    if config.trials < count + _ALONE:
        raise StageInputError(
            f"trials: {config.trials} are too few for {count} adapters; {count + _ALONE} are "
            "each alone, equal shares and the plain sum"
        )
    if find_spec("optuna") is None:
        raise MissingExtraError("optuna", "search")


def _check_alike(config: Config, model: Artifact, others: Sequence[Artifact]) -> None:
    """Of adapters that the recipe trains; those from outside are looked at when they are there."""
    named = [("the model", model)]
    named += [(f"others: adapter {place}", other) for place, other in enumerate(others, start=1)]
    described = [
        rules.Described(name, id(it.base), it.method, it.precision, it.embeddings, it.rank, it.dora)
        for name, artifact in named
        if (it := artifact.adapter) is not None
    ]
    if problems := rules.alike_problems(described, config.combine):
        raise StageInputError("\n".join(problems))


def _labelled(model: Artifact) -> bool:
    return model.task is not None and bool(find_task(model.task).labels)


def _check_scored(model: Artifact) -> None:
    if not _labelled(model):
        raise StageInputError("score_rows: the model has no task head to score; leave it out")
    if _scored(model).name != probed(None, model).name:
        raise StageInputError(
            f"score_rows: no multilingual task has the labels of {model.task}; leave it out, and "
            f"evaluate the fused model on {model.task}"
        )
    refuse_unlabelled("score_rows", _scored(model))


def _scored(model: Artifact) -> Task:
    """The task whose rows are scored: the model's.

    For one in English alone it is a multilingual one with the same labels (MNLI: XNLI), where there
    is one.
    """
    assert model.task is not None  # by `check`
    trained, multilingual = find_task(model.task), probed(None, model)
    alike = suits(multilingual, trained.labels, answers_of_task(trained))
    return multilingual if alike else trained


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The text the drift is measured on, the rows that are scored."""
    needs: tuple[DataNeed, ...] = ()
    if config.probe:
        needs += (DataNeed(probed(config.probe_task, gives).name, "eval"),)
    if config.score_rows:
        needs += (DataNeed(_scored(gives).name, "eval"),)
    if config.weights == "search":
        needs += (dev_rows(_scored(gives).name),)
    return needs


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The fused model, and the live adapter it is compared with."""
    from compress.memory import fusing

    (model,) = models["model"]
    return fusing(model.shape(), model.precision, model.embeddings)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The base is opened and written, and both models run on the text of the comparison."""
    from recipes.stages._shared.planned_work import comparing, opening, saving

    (model,) = models["model"]
    if config.others or config.requantize or model.precision in ("int8", "nf4"):
        raise NotKnownAheadError("several adapters, or a quantized base")
    fused = replace(model, precision="fp32", embeddings="fp32")
    done = opening(model, text, _TOKENIZERS, models=2) + saving(fused)
    both = [model, fused]
    done += comparing(both, probed(config.probe_task, gives), config.probe, text)
    if config.score_rows:
        done += comparing(both, _scored(gives), config.score_rows, text)
    return done


def run(config: Config, ctx: StageContext) -> Summary:
    """Combine where there are several, fuse, and measure the drift."""
    from compress.fuse.fuse import Target, fuse
    from evalsuite.inference.probe_text import Probe

    model = ctx.input("model")
    artifact = with_task(model.artifact, config.adapter_task)
    name = artifact.task
    task = find_task(name).labelled(ctx.data) if name else None
    scored = Probe(_scored(artifact), ctx.data, config.score_rows) if config.score_rows else None
    fused = fuse(
        model.path,
        task,
        ctx.out,
        mix=_mix(config, ctx) if ctx.inputs.get("others") else None,
        target=Target(config.onto, config.requantize),
        probe=Probe(probed(config.probe_task, artifact), ctx.data, config.probe),
        scored=scored,
        progress=ctx.progress,
    )
    return _summary(config, fused)


def _mix(config: Config, ctx: StageContext) -> Mix:
    from compress.fuse.combine import How
    from compress.fuse.fuse import Mix
    from compress.fuse.weight_search import Search

    others = tuple(other.path for other in ctx.inputs["others"])
    how = How(config.combine, config.density, config.rank, ctx.seed)
    if config.weights is None or config.weights == "search":  # None is refused by `check`
        scored = _scored(with_task(ctx.input("model").artifact, config.adapter_task))
        rows = config.dev_examples
        search = Search(scored.labelled(ctx.data), ctx.data, config.trials, rows, ctx.seed)
        return Mix(others, search, how)
    return Mix(others, config.weights, how)


def _summary(config: Config, fused: Fused) -> Summary:
    summary: Summary = {"onto": config.onto, "base precision": fused.precision}
    if fused.found is not None:
        summary["combined by"] = config.combine
        summary |= fused.found.facts()
    for name, drift in fused.drift.items():
        summary |= drift.facts(f"{name}: ")
    if fused.loss is not None:
        summary |= fused.loss.facts()
    for name, scores in fused.scores.items():
        summary |= _score_facts(name, scores, fused.scores["live"])
    return summary


def _score_facts(name: str, scores: Mapping[str, float], live: Mapping[str, float]) -> Summary:
    """Mean over languages, and by how much it and each language moved from the live adapter's."""
    found: Summary = {f"{name}: score": round(sum(scores.values()) / len(scores), 3)}
    if name != "live":
        moved = {language: value - live[language] for language, value in scores.items()}
        language, most = max(moved.items(), key=lambda item: abs(item[1]))
        found[f"{name}: score change"] = round(sum(moved.values()) / len(moved), 3)
        found[f"{name}: largest score change"] = f"{language} {most:+z.2f}"
    return found
