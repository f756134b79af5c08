"""Digests of the rows a stage reads, so that other data give another cache key.

>>> digest_need(DataNeed("xnli", "train", ("en",)), DataSource("embedded"))
'embedded:3a7bd3e2360a...'
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.data.mistaken import refuse_mistaken
from evalsuite.errors import DataError, MissingDataError
from evalsuite.home_path import home_path
from evalsuite.own.own_task import OwnTask
from evalsuite.registry import METRICS
from evalsuite.task import DataSource, Split, Task
from recipes.hashing import sha256_file, sha256_json
from transfer.find_task import CATALOGUES, find_task

if TYPE_CHECKING:
    from recipes.stages._shared.contract import DataNeed

WITHOUT_TEXT = ("files", "hub")  # sources that have no multilingual text


def digest_need(
    need: DataNeed, source: DataSource, digest_file: Callable[[Path], str] = sha256_file
) -> str:
    """A digest of all rows of one need.

    Raises:
        MissingDataError: a file is absent, or the source has no such rows.
        UnknownNameError: there is no such task.
    """
    if need.split == "parallel":
        if source.kind in WITHOUT_TEXT and need.task == "parallel if any":
            return "no parallel text"
        return _parallel(source, need.languages or (), digest_file)
    if need.split == "file":
        path = home_path(need.task)
        if not path.is_file():
            raise DataError(f"there is no file {need.task} (from {Path.cwd()})")
        return f"file:{digest_file(path)}"
    if need.split == "held out":
        return _held_out(source, digest_file)
    task = find_task(need.task)
    rows = _rows(task, need.split, need.languages, source, digest_file)
    files = [catalogue.plugin_file(need.task) for catalogue in CATALOGUES]
    files += [METRICS.plugin_file(name) for name in dict.fromkeys((task.metric, *task.also))]
    return "+".join([rows, *(f"plugin:{digest_file(file)}" for file in files if file is not None)])


def need_text(need: DataNeed) -> str:
    """What a need is called in a message.

    >>> need_text(DataNeed("xnli", "train"))
    'the train rows of xnli'
    """
    if need.split == "file":
        return need.task
    if need.split in ("parallel", "held out"):
        return f"the {need.split} text"
    return f"the {'' if need.split == 'eval' else f'{need.split} '}rows of {need.task}"


def _rows(
    task: Task,
    wanted: Split | Literal["eval"],
    languages: Sequence[str] | None,
    source: DataSource,
    digest_file: Callable[[Path], str],
) -> str:
    """A digest of a task's rows."""
    kind = task.kind_of_source(source)
    if isinstance(task, OwnTask):
        own_split = task.eval_split(source) if wanted == "eval" else wanted
        if problem := task.without_files(own_split, languages or ()):
            raise DataError(problem)
    if kind == "embedded":
        return _embedded()
    if kind == "hub":
        if task.hub is None:
            raise DataError(
                f"{task.name} has no pinned copy on the hub; "
                "write source: xtreme and give --data-dir"
            )
        pinned = (task.hub, *task.hub_beside)
        named = "hub:" + "+".join(f"{hub.repo}@{hub.revision}" for hub in pinned)
        if not isinstance(task, OwnTask):
            return named
        return f"{named}:{sha256_json(_declared(task, 'train' if wanted == 'train' else 'test'))}"
    if kind == "files" and not isinstance(task, OwnTask):
        raise DataError(
            f"source: files has no rows of {task.name}, which the recipe does not declare; "
            "name one that it declares (task, tasks, probe_task), or write source: hub, xtreme or "
            "embedded"
        )
    split = task.eval_split(source) if wanted == "eval" else wanted
    languages = languages or task.readable(source, split)
    digests: dict[str, str] = {}
    for language in languages:
        for path in task.files(source, split, language):
            if not path.is_file():
                what = f"{task.name} {split} ({language})"
                raise MissingDataError(path, what, task.layout)
            refuse_mistaken(path, unpacked=kind == "files")
            digests[_free_name(language, path, digests)] = digest_file(path)
    if not digests:
        folder = (source.data_dir or Path()) / task.name
        what = f"{task.name} {split}"
        if folder.is_dir():
            raise DataError(f"{what}: no such file in {folder}\nexpected layout: {task.layout}")
        raise MissingDataError(folder, what, task.layout)
    content = {"split": split, "files": digests, **_declared(task, split)}
    if isinstance(task, OwnTask) and (parts := task.parts_of_rows(split, languages)):
        content["parts"] = {code: list(roles) for code, roles in parts.items()}
    if isinstance(task, OwnTask) and task.takes_labels_from_more_than(split, languages):
        content["found_labels"] = list(task.labels)
    if isinstance(task, OwnTask) and _is_scored(task, split, languages):
        content["languages"] = [task.source_language, task.seen_languages, task.languages]
    return f"{kind}:{sha256_json(content)}"


def _is_scored(task: Task, split: Split, languages: Sequence[str]) -> bool:
    """Whether the rows may give a result, which says which languages were trained on.

    Dev rows in the source language alone are what trainings read: with another test language a
    model is not trained again.
    """
    return split == "test" or (split == "dev" and tuple(languages) != (task.source_language,))


def _free_name(language: str, path: Path, taken: Collection[str]) -> str:
    """The end of a path, as long as it has to be to differ from the names before it."""
    for parts in range(1, len(path.parts) + 1):
        name = f"{language}/{'/'.join(path.parts[-parts:])}"
        if name not in taken:
            return name
    return f"{language}/{path}#{len(taken)}"  # the same file for two parts


def _declared(task: Task, split: Split) -> dict[str, Any]:
    """What a recipe says of a task that changes what a stage reads from these rows.

    Paths do not, and the metric and the title do not change training rows.
    """
    if not isinstance(task, OwnTask):
        return {}
    keys = {"format", "columns", "labels"}
    if task.declaration.hub is not None:
        keys |= {"train", "dev", "test", "splits"}  # which configurations
    if split != "train":
        keys |= {"metric", "also", "positive", "title", "source_language"}  # a result has them
    return {"declaration": task.declaration.model_dump(mode="json", include=keys)}


def _embedded() -> str:
    embedded: Any = importlib.import_module("evalsuite.data.embedded.generate")
    return f"embedded:{embedded.digest()}"


def _parallel(
    source: DataSource, languages: Sequence[str], digest_file: Callable[[Path], str]
) -> str:
    """Of the whole corpus, which must have text in these languages."""
    if source.kind == "embedded":
        _require_languages(source, languages)
        return _embedded()
    if source.kind in WITHOUT_TEXT:  # `without_text.require` says what to change in a stage
        raise DataError(f"the stage reads multilingual text, and source: {source.kind} has none")
    parallel: Any = importlib.import_module("evalsuite.data.parallel")
    paths: tuple[Path, ...] = parallel.files(source)
    for path in paths:
        if not path.is_file():
            raise MissingDataError(path, "parallel text", "see evalsuite/data/parallel.py")
        refuse_mistaken(path)
    _require_languages(source, languages)
    return f"parallel:{sha256_json([[p.name, digest_file(p)] for p in paths])}"


def _require_languages(source: DataSource, languages: Sequence[str]) -> None:
    """English is the other side of all pairs."""
    parallel: Any = importlib.import_module("evalsuite.data.parallel")
    there: tuple[str, ...] = parallel.languages(source)
    if absent := [code for code in languages if code not in (*there, "en")]:
        ways = [f"name languages that it has: {', '.join(there)}"] if there else []
        if source.kind != "embedded":
            ways.append(f"add parallel/{absent[0]}.tsv (English, tab, translation)")
        raise DataError(
            f"the corpus has no parallel text in {', '.join(absent)}\n{'; or '.join(ways)}"
        )


def _held_out(source: DataSource, digest_file: Callable[[Path], str]) -> str:
    heldout: Any = importlib.import_module("evalsuite.data.heldout")
    paths: tuple[Path, ...] = heldout.paths(source)
    digests = {p.relative_to(source.data_dir or "").as_posix(): digest_file(p) for p in paths}
    return f"held out:{sha256_json(digests)}"
