"""LAReQA (XQuAD-R): find the sentences that answer a question, in all languages at once.

>>> TASK.load(DataSource("xtreme", Path("data")), "test", "de")[0].query
'Wie viele Punkte gab die Verteidigung der Panthers ab?'

XQuAD's 1,190 questions in eleven languages, against all 13,014 sentences of all its contexts: each
question has one right sentence a language, so an encoder that prefers its own language cannot score
well. A candidate is a sentence followed by its context. Trained on SQuAD 1.1, whose sentences are
guessed from punctuation here. Rules as in `third_party/utils_lareqa.py` and `evaluate_retrieval.py`
of google-research/xtreme; candidates are those of the languages whose files are there.

Papers: Roy et al. 2020, arXiv:2004.05484; Ruder et al. 2021 (mAP@20).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from evalsuite.data import files, left_out, sentences
from evalsuite.data.mistaken import is_there
from evalsuite.data.ranking import RankingTask
from evalsuite.data.sourced import first_there, root
from evalsuite.data.squad import questions
from evalsuite.errors import MalformedRowError
from evalsuite.task import (
    Candidate,
    DataSource,
    Example,
    MatchExample,
    QueryExample,
    SpanExample,
    Split,
)

_PLACES = ("lareqa/xquad-r/{language}.json", "lareqa/{language}.json")


class _Pool(NamedTuple):
    candidates: list[Candidate]
    queries: dict[str, list[tuple[str, str]]]  # language -> question ids and texts
    right: dict[str, list[str]]  # question id -> candidates, of all languages
    without: Counter[str]  # language -> questions whose answer is in no sentence


class Lareqa(RankingTask):
    """The LAReQA task."""

    name = "lareqa"
    title = "LAReQA"
    languages = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
    eval_splits: tuple[Split, ...] = ("test",)
    query_tokens = 96
    candidate_tokens = 256
    training = "squad/train-v1.1.json"
    layout = "squad/train-v1.1.json, lareqa/xquad-r/<lang>.json (or lareqa/<lang>.json)"
    licence = "CC BY-SA 4.0"
    citation = (
        "Roy et al. 2020, LAReQA: Language-agnostic Answer Retrieval from a Multilingual Pool"
    )
    url = "https://github.com/google-research-datasets/lareqa"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """A language's own file, then the others', which hold candidates too."""
        if source.kind != "xtreme":
            return ()
        if split == "train":
            return (root(source) / self.training,)
        own = _place(source, language)
        others = [_place(source, code) for code in self.languages if code != language]
        return (own, *filter(is_there, others))

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        if split == "train":
            return ("en",) if is_there(root(source) / self.training) else ()
        if split != "test":
            return ()
        return [code for code in self.languages if is_there(_place(source, code))]

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        if split == "train":
            asked = questions(paths[0], self.what(split, language), self.layout)
            return list(matches(asked))
        pool = self._pool(paths, split)
        found, lost = _asked(pool, language), pool.without[language]
        reasons = {"the answer is in no sentence": lost}
        left_out.record(left_out.Rows(self.name, split, language), len(found) + lost, reasons)
        return found

    def candidates(self, source: DataSource, split: Split) -> Iterable[Candidate]:
        if source.kind == "embedded":
            from evalsuite.data.embedded import generate as embedded

            yield from _of_suite(embedded, split).candidates
            return
        first = next(iter(self._in_directory(source, split)), self.languages[0])
        yield from self._pool(self.files(source, split, first), split).candidates

    def _pool(self, paths: Sequence[Path], split: Split) -> _Pool:
        stamps = (_stamped(path, self.what(split, path.stem), self.layout) for path in paths)
        return _read(tuple(sorted(stamps)), self.layout)

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        if split == "train":
            return [
                MatchExample(id, asked, sentences.in_context(said[right], " ".join(said)))
                for id, asked, said, right in suite.passages(split, language)
            ]
        return _asked(_of_suite(suite, split), language)


def _asked(pool: _Pool, language: str) -> list[Example]:
    return [QueryExample(id, text, tuple(pool.right[id])) for id, text in pool.queries[language]]


def matches(found: Iterable[SpanExample]) -> Iterator[MatchExample]:
    """Questions with the sentence of their first answer in its context, to train on."""
    for question in found:
        if not question.answers:
            continue
        where = sentences.breaks(question.context)
        number = sentences.holding(where, question.answers[0].start)
        if number is not None:
            said = sentences.cut(question.context, where)[number]
            passage = sentences.in_context(said, question.context)
            yield MatchExample(question.id, question.question, passage)


def _place(source: DataSource, language: str) -> Path:
    places = [root(source) / place.format(language=language) for place in _PLACES]
    return first_there(places)[0]


def _stamped(path: Path, what: str, layout: str) -> tuple[str, Path, int, int]:
    """Language, path, size and time of change: what `_read` is remembered by."""
    if not path.exists():
        files.lines(path, what, layout)  # raises what a missing file raises
    status = path.stat()
    return path.stem, path, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=1)
def _read(stamps: tuple[tuple[str, Path, int, int], ...], layout: str) -> _Pool:
    """All languages, sorted."""
    pool = _Pool([], {}, {}, Counter())
    for language, path, _, _ in stamps:
        tree = files.tree(path, f"lareqa {language}", layout)
        try:
            _add(pool, language, tree)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise MalformedRowError(
                path, 1, f"not XQuAD-R's layout: {type(error).__name__} {error}"
            ) from None
        if not pool.queries.get(language):
            raise MalformedRowError(path, 1, "no questions")
    return pool


def _add(pool: _Pool, language: str, tree: Any) -> None:
    paragraphs = (paragraph for article in tree["data"] for paragraph in article["paragraphs"])
    for number, paragraph in enumerate(paragraphs, 1):
        context = str(paragraph["context"])
        where = [(int(start), int(end)) for start, end in paragraph["sentence_breaks"]]
        said = sentences.cut(context, where)
        asked = []
        for row in paragraph["qas"]:
            right = sentences.holding(where, int(row["answers"][0]["answer_start"]))
            if right is not None:
                asked.append((str(row["id"]), str(row["question"]), said[right]))
            else:
                pool.without[language] += 1
        _put(pool, language, f"{language}_{number}", said, context, asked)


def _put(
    pool: _Pool,
    language: str,
    name: str,
    said: Sequence[str],
    context: str,
    asked: Sequence[tuple[str, str, str]],
) -> None:
    """A context: all its sentences are candidates; sentences equal to the right one are right."""
    for id, text, _ in asked:
        pool.queries.setdefault(language, []).append((id, text))
    for position, sentence in enumerate(said if asked else ()):
        candidate = Candidate(f"{name}_{position}", sentences.in_context(sentence, context))
        pool.candidates.append(candidate)
        for id, _, right in asked:
            if right == sentence:
                pool.right.setdefault(id, []).append(candidate.id)


@cache
def _of_suite(suite: ModuleType, split: Split) -> _Pool:
    pool = _Pool([], {}, {}, Counter())
    for language in suite.LANGUAGES:
        for number, (id, asked, said, right) in enumerate(suite.passages(split, language), 1):
            question = (id, asked, said[right])
            _put(pool, language, f"{language}_{number}", said, " ".join(said), [question])
    return pool


TASK = Lareqa()
