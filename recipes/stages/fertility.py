"""Count how vocabularies split the words of each language; no model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import Field

from recipes.errors import StageInputError
from recipes.hashing import sha256_json
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.training_keys import known_tasks, need
from transfer.find_task import find_task

VERSION = 2
LABELS_MATTER = True


class Config(StageConfig):
    """Whose vocabularies, and the words of which tagging task."""

    models: ModelRefs = Field(min_length=1, description="Models whose vocabularies are measured.")
    task: TaskName = Field(default="udpos", description="Tagging task whose words are split.")
    max_examples: int | None = Field(
        default=None,
        ge=1,
        description="Sentences per language, taken from the start; default: all sentences.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """Counts."""
    (task,) = known_tasks((config.task,))
    if task.format != "tagging":
        raise StageInputError(f"task: {task.name} has no words; give udpos or panx")
    for artifact in inputs["models"]:
        need(artifact, "models", "checkpoint", "bundle")
    return Artifact("fertility")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The words."""
    return (DataNeed(config.task, "eval", labelled=True),)


def run(config: Config, ctx: StageContext) -> Summary:
    """One file a model."""
    from evalsuite import fertility, tokenization
    from evalsuite.opening.tokenizer import tokenizer_json
    from evalsuite.results.fertility import FertilityResult
    from evalsuite.task import TagExample

    task = find_task(config.task)
    split = task.eval_split(ctx.data)
    sentences = {
        language: [
            example.words
            for example in task.load(ctx.data, split, language)[: config.max_examples]
            if isinstance(example, TagExample)
        ]
        for language in task.available(ctx.data, split)
    }
    text = f"{task.name} {split}"
    if config.max_examples:
        text += f", first {config.max_examples} sentences"
    summary: Summary = {}
    for number, model in enumerate(ctx.inputs["models"]):
        ctx.progress(number / len(ctx.inputs["models"]), model.label)
        tokenizer = tokenization.load(model.path)
        found = FertilityResult(
            label=model.label,
            tokenizer_digest=hashlib.sha256(tokenizer_json(model.path).encode()).hexdigest(),
            text=text,
            source=task.kind_of_source(ctx.data),
            data_digest=sha256_json(sentences),
            languages={
                language: fertility.count(tokenizer, rows) for language, rows in sentences.items()
            },
        )
        (ctx.out / f"{number:02d}.json").write_text(found.model_dump_json(), encoding="utf-8")
        mean = sum(f.subwords_a_word for f in found.languages.values()) / len(found.languages)
        summary[f"{model.label} subwords a word"] = round(mean, 3)
    return summary
