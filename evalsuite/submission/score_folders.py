"""Score folders of predictions against folders of labels, with no model.

>>> found = score_folders(Path("predictions"), Path("labels"))
>>> found.tasks["xnli"].metrics["accuracy"]["sw"]
66.7
>>> found.overall is None    # tasks are absent
True

Both folders have the benchmark's submission layout: `<task>/test-<lang>.tsv`, `.json` for answers
to questions and for rankings, `.jsonl` for choices
(`evalsuite.submission.benchmark_means.Member.kind` says what a file holds). Labels of questions are
SQuAD files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.data import files
from evalsuite.data import squad as squad_files
from evalsuite.data.mistaken import refuse_mistaken
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.metric import Answers
from evalsuite.registry import TASKS
from evalsuite.scoring import score
from evalsuite.submission import layouts
from evalsuite.submission.benchmark_means import SUFFIXES, XTREME, Benchmark, Member
from evalsuite.submission.layouts import LAYOUT
from evalsuite.task import Task

_DATA_FILE = (
    "\nthe line has a tab, as those of a data file have; write the {noun} alone in each line"
)


@dataclass(frozen=True, slots=True)
class TaskScore:
    """Scores of one task.

    Attributes:
        main: the metrics the score is the mean of.
        metrics: metric -> language -> percent.
        score: the benchmark's score of the task; None where a language is absent.
        absent: languages with labels or predictions missing.
        unanswered: questions without a predicted answer, which score 0, by language.
    """

    main: tuple[str, ...]
    metrics: Mapping[str, Mapping[str, float]]
    score: float | None
    absent: tuple[str, ...]
    unanswered: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FolderScores:
    """Scores of all tasks both folders have; group and overall scores are None where a part is."""

    tasks: Mapping[str, TaskScore]
    groups: Mapping[str, float | None]
    overall: float | None
    absent: tuple[str, ...]  # tasks


def score_folders(predictions: Path, labels: Path, benchmark: Benchmark = XTREME) -> FolderScores:
    """Score every task of the benchmark that both folders have.

    Raises:
        DataError: a folder is absent, no task is in both, or the two files of a language are not
            of the same rows.
        MalformedRowError: a file is not what its kind says, or has a label that is none of its
            task's.
    """
    for folder in (predictions, labels):
        if not folder.is_dir():
            raise DataError(f"{folder}: there is no such directory\nexpected layout: {LAYOUT}")
    found = {
        name: _score_task(name, member, predictions / name, labels / name)
        for name, member in benchmark.tasks.items()
        if (predictions / name).is_dir() and (labels / name).is_dir()
    }
    if not found:
        raise DataError(
            f"no task has a folder in both {predictions} and {labels}\n"
            f"expected layout: {LAYOUT}; tasks: {', '.join(benchmark.tasks)}"
        )
    scores = {name: task.score for name, task in found.items() if task.score is not None}
    return FolderScores(
        found,
        {group: benchmark.mean(scores, group) for group in benchmark.groups},
        benchmark.mean(scores),
        tuple(name for name in benchmark.tasks if name not in found),
    )


def _score_task(name: str, member: Member, predictions: Path, labels: Path) -> TaskScore:
    metrics: dict[str, dict[str, float]] = {}
    absent, unanswered = [], {}
    for language in member.languages:
        file = f"test-{language}.{SUFFIXES.get(member.kind, 'tsv')}"
        if not ((predictions / file).exists() and (labels / file).exists()):
            absent.append(language)
            continue
        for path in (predictions / file, labels / file):
            if path.stat().st_size:
                refuse_mistaken(path)
        what = f"{name} {language}"
        if member.kind == "answers":
            gold = _gold(labels / file, f"labels of {what}")
            said = layouts.read_answers(predictions / file, f"predictions for {what}")
            scores = _score(name, language, list(gold.values()), [said.get(id) for id in gold])
            unanswered[language] = len(set(gold) - set(said))
        elif member.kind == "rankings":
            right = layouts.read_rankings(labels / file, f"labels of {what}")
            ranked = layouts.read_rankings(predictions / file, f"predictions for {what}")
            _check_rankings(labels / file, right)
            # Queries without a ranking score 0.
            lists = [ranked.get(id, []) for id in right]
            scores = _score(name, language, list(right.values()), lists)
            unanswered[language] = len(set(right) - set(ranked))
        else:
            scores = _score_lines(name, language, member, predictions / file, labels / file)
        for metric, value in scores.items():
            metrics.setdefault(metric, {})[language] = value
    return TaskScore(member.metrics, metrics, member.score(metrics), tuple(absent), unanswered)


def _score(name: str, language: str, gold: list[Any], said: list[Any]) -> dict[str, float]:
    """What `evaluate` scores with the same predictions."""
    task = TASKS.get(name)
    return score(Answers(gold=gold, predicted=said, task=task, language=language))


def _check_rankings(path: Path, right: Mapping[str, list[str]]) -> None:
    """Refuse queries without a relevant candidate, and none at all."""
    if empty := [id for id, relevant in right.items() if not relevant]:
        raise MalformedRowError(path, 1, f"query {empty[0]} has no candidate to score against")
    if not right:
        raise MalformedRowError(path, 1, "no queries")


def _score_lines(
    name: str, language: str, member: Member, predictions: Path, labels: Path
) -> dict[str, float]:
    """Scores of one language of a task whose files have one item a line."""
    read: Any = {
        "choices": layouts.read_choices,
        "labels": layouts.read_labels,
        "pairs": layouts.read_pairs,
        "rows": layouts.read_rows,
        "tags": layouts.read_tags,
    }[member.kind]
    gold, said = read(labels, f"labels of {name}"), read(predictions, f"predictions for {name}")
    if member.kind in ("labels", "tags"):
        task = TASKS.get(name)
        gold, said = _named(gold, task, labels), _named(said, task, predictions)
    if member.kind == "pairs":
        if not gold:
            raise MalformedRowError(labels, 1, "no pairs")
        gold, said = _by_sentence(gold, said)
    try:
        return _score(name, language, gold, said)
    except ValueError as error:
        raise DataError(f"{predictions} does not fit {labels}: {error}") from None


def _named(rows: Sequence[Any], task: Task, path: Path) -> list[Any]:
    """Labels, or lists of tags, as the task names them; files may write some otherwise.

    Raises:
        MalformedRowError: one is none of the task's.
    """
    spellings: Mapping[str, str] = getattr(task, "spellings", {})
    known = {**{label: label for label in task.labels}, **spellings}
    written = {one for row in rows for one in ([row] if isinstance(row, str) else row)}
    if strange := written - known.keys():
        lines = enumerate(files.lines(path, f"{task.name}, {path.name}", LAYOUT, own=True), 1)
        number, line = next((n, line.strip()) for n, line in lines if line.strip() in strange)
        noun = "tag" if task.format == "tagging" else "label"
        raise MalformedRowError(
            path,
            number,
            f"unknown {noun} {line[:60]!r}; allowed: {', '.join(task.labels)}"
            + (_DATA_FILE.format(noun=noun) if "\t" in line else ""),
        )
    return [known[row] if isinstance(row, str) else [known[tag] for tag in row] for row in rows]


def _by_sentence(*files: Sequence[tuple[str, ...]]) -> Iterator[list[set[str]]]:
    """The partners that each file of pairs gives to a foreign sentence, in one order."""
    ids = list(dict.fromkeys(id for pairs in files for id, _ in pairs))
    for pairs in files:
        partners: dict[str, set[str]] = {id: set() for id in ids}
        for id, partner in pairs:
            partners[id].add(partner)
        yield list(partners.values())


def _gold(path: Path, what: str) -> dict[str, list[str]]:
    """Question id -> gold answers."""
    found = {
        question.id: [answer.text for answer in question.answers]
        for question in squad_files.questions(path, what, LAYOUT)
    }
    if empty := [id for id, answers in found.items() if not answers]:
        raise MalformedRowError(path, 1, f"question {empty[0]} has no answer to score against")
    return found
