"""Look at a tuned checkpoint, and write the recipe that makes it smaller: `lingopress shrink`.

>>> prepared = prepare("./nli", ("en", "de"), ShrinkWishes(text=(Path("messages"),)), folder)
>>> prepared.path, prepared.notes
(Path('nli-small.yaml'), [])
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.export.registry import EXPORTERS
from evalsuite.data.embedded.phrases import LANGUAGES as EMBEDDED_LANGUAGES
from evalsuite.guess.declare import Asked, look_at
from evalsuite.inference.checkpoint_config import head_of, labels_of, model_config
from evalsuite.languages import is_among
from evalsuite.own.declaration import Declaration
from recipes.drafting.recipe_model import is_of_run, recipe_model
from recipes.drafting.sample_text import gather, write_sample
from recipes.drafting.shrink_recipe import EMBEDDED, Shrink, shrink_recipe
from recipes.errors import RecipesError
from recipes.naming import file_name
from recipes.planning.external_models import External


@dataclass(frozen=True, slots=True)
class ShrinkWishes:
    """What the person says.

    Attributes:
        recipe: where the recipe is kept; None to write it into the workspace.
        task_data: labelled rows.
        workspace: where a model is looked for that is named as RECIPE:STAGE.
    """

    name: str | None = None
    text: tuple[Path, ...] = ()
    data_dir: Path | None = None
    task_data: tuple[Path, ...] = ()
    runtime: str = "onnxruntime"
    precision: str = "int8"
    recipe: Path | None = None
    force: bool = False
    workspace: Path | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipe that was written, and what to know of it."""

    path: Path
    name: str
    notes: list[str]


def prepare(model: str, languages: Sequence[str], wishes: ShrinkWishes, folder: Path) -> Prepared:
    """Write the recipe.

    Args:
        folder: for the recipe and its sentences, where the person keeps none.

    Raises:
        ModelError: the model cannot be used.
        RecipesError: its head is of no kind that is known here, a language has no text, or the
            recipe exists.
    """
    text, directory = _model(model, wishes.workspace)
    config = model_config(directory)
    head = head_of(config)
    if head not in EMBEDDED:
        raise RecipesError(
            f"{model} has a head for {head}; shrink takes classifiers, taggers and encoders\n"
            "write a recipe with trim and export: lingopress ls stages export"
        )
    of_run = re.sub(r"[^\w.-]+", "-", model).strip("-") if is_of_run(model) else ""
    name = wishes.name or f"{of_run or file_name(directory.resolve().name)}-small"
    path = wishes.recipe or folder / f"{name}.yaml"
    if wishes.recipe and path.exists() and not wishes.force:
        raise RecipesError(f"{path} exists; write another file, or replace it with --force")
    labels = labels_of(config) if head else ()
    sound = len(labels) > 1 and len(set(labels)) == len(labels)
    notes: list[str] = []
    sample: str | None = None
    files: tuple[Path, ...] = ()
    if wishes.text or wishes.data_dir is not None:
        gathered = gather(languages, wishes.text, wishes.data_dir)
        files = gathered.files
        kind = "tagging" if head == "tagging" else "classification"
        tag = "O" if "O" in labels else labels[0] if labels else "O"
        sample = write_sample(gathered, kind, tag, path.with_name(f"{path.stem}-text"))
    else:
        notes = _without_text(languages, bool(wishes.task_data))
    asked = Asked(
        folder=path.with_name(f"{path.stem}-rows"),
        replace=wishes.force or wishes.recipe is None,
        test_only=True,
    )
    task = _rows(wishes.task_data, head, labels if sound else (), languages, asked)
    plan = Shrink(
        name=name,
        model=text,
        head=head,
        labels=labels if sound else (),
        runtime=wishes.runtime,
        precision=wishes.precision,
        languages=tuple(languages),
        corpus=wishes.data_dir is not None and not wishes.text,
        text=tuple(map(str, files)),
        sample=None if task else sample,
        task=task,
    )
    if plan.only_files and _calibrates(plan):
        instead = " in place of --text" if wishes.text else ""
        raise RecipesError(
            f"--runtime {plan.runtime}: its {plan.precision} is calibrated on parallel text, and "
            f"there is none\ngive --data-dir{instead}, or --precision int8-weights"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shrink_recipe(plan), encoding="utf-8")
    return Prepared(path, name, notes)


def _calibrates(plan: Shrink) -> bool:
    """Whether the export reads text to find how large activations are."""
    precision = EXPORTERS.get(plan.runtime).precisions.get(plan.precision)
    return precision is not None and precision.calibrated


def _model(model: str, workspace: Path | None) -> tuple[str, Path]:
    """How a recipe names the model, and its folder, fetched where it is of the hub."""
    text = recipe_model(model, workspace)
    external = External.find(text)
    if external.artifact.kind in ("adapter", "prompt"):
        raise RecipesError(
            f"{model} is an adapter; merge it into its base first: a recipe with stage: fuse"
        )
    if external.artifact.kind != "checkpoint":
        raise RecipesError(f"{model} is a bundle, which is small already; give its checkpoint")
    return text, external.fetch()


def _without_text(languages: Sequence[str], has_rows: bool) -> list[str]:
    """What is not done, because there is no text."""
    notes = [
        "no text was given, so the vocabulary is left whole, most of a multilingual model; "
        "to cut it: --text FILE per language, a sentence per line, or --data-dir DIR with a corpus"
    ]
    if not has_rows:
        notes.append(
            "answers before and after are compared on sentences that come with lingopress, in "
            f"{' '.join(sorted(EMBEDDED_LANGUAGES))}: generated from templates, not your text"
        )
        if absent := sorted(set(languages) - set(EMBEDDED_LANGUAGES)):
            notes.append(f"none of them is in {', '.join(absent)}")
    return notes


def _rows(
    paths: Sequence[Path],
    head: str | None,
    labels: tuple[str, ...],
    languages: Sequence[str],
    asked: Asked,
) -> Mapping[str, Any] | None:
    """The declaration of labelled rows, to compare and to score on."""
    if not paths:
        return None
    if head is None:
        raise RecipesError("--task-data: the model is an encoder without a head; leave it out")
    found = look_at(paths, asked).declaration
    test = found.get("test")
    if isinstance(test, str) and languages:  # a path with {language}
        places = Declaration.model_validate(found).places("test")
        test = {code: str(place) for code, place in places.items()}
    if isinstance(test, dict) and languages and not {*test} & {"text", "label"}:
        kept = {code: place for code, place in test.items() if is_among(code, languages)}
        if not kept:
            raise RecipesError(
                f"--task-data: rows in {', '.join(test)}, and none in {', '.join(languages)}"
            )
        found["test"] = kept
    return found | ({"labels": list(labels)} if labels else {})
