"""Mewsli-X: find the encyclopaedia entry a mention in the news is about, among a million of them.

>>> TASK.load(DataSource("xtreme", Path("data")), "test", "de")[0]
QueryExample(id='4be5a1...', query='Prag: Er kam nach { Prag } zurück.', relevant=('Q1085',))

Mentions in eleven languages; entities described in fifty, each in one. A query is the sentence of
the mention, the mention marked with braces and repeated in front; a candidate is the entity's
description. Trained on English Wikipedia's own links. The XTREME scripts leave the labels of test
mentions out; on such a directory the dev split is scored. Rules as in
`third_party/utils_mewslix.py` of google-research/xtreme.

Paper: Ruder et al. 2021, arXiv:2104.07412.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from evalsuite.data import files, left_out
from evalsuite.data.mistaken import is_there
from evalsuite.data.ranking import RankingTask
from evalsuite.data.sourced import root
from evalsuite.errors import MalformedRowError
from evalsuite.task import Candidate, DataSource, Example, MatchExample, QueryExample, Split

_MARKED = re.compile(r"\{(.*?)\}")
_ENTITIES = "mewslix/candidate_set_entities.jsonl"


class Mewslix(RankingTask):
    """The Mewsli-X task."""

    name = "mewslix"
    title = "Mewsli-X"
    languages = ("ar", "de", "en", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk")
    query_tokens = 64
    candidate_tokens = 64
    file = "mewslix/wikinews_mentions/{split}-{language}.jsonl"
    training = "mewslix/wikipedia_pairs-train.jsonl"
    layout = (
        "mewslix/candidate_set_entities.jsonl, mewslix/wikipedia_pairs-train.jsonl, "
        "mewslix/wikinews_mentions/<split>-<lang>.jsonl"
    )
    licence = "CC BY-SA 3.0 (Wikipedia), CC BY 2.5 (WikiNews)"
    citation = "Ruder et al. 2021, XTREME-R: Towards More Challenging and Nuanced Evaluation"
    url = (
        "https://github.com/google-research/google-research/tree/master/"
        "dense_representations_for_entity_retrieval/mel"
    )

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """The mentions, then the candidates."""
        if source.kind != "xtreme":
            return ()
        if split == "train":
            return (root(source) / self.training,)
        mentions = root(source) / self.file.format(split=split, language=language)
        return mentions, root(source) / _ENTITIES

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        if split == "train":
            if is_there(root(source) / self.training):
                yield "en"
            return
        for code in self.languages:
            mentions = self.files(source, split, code)[0]
            if is_there(mentions) and not (split == "test" and _hides_labels(mentions)):
                yield code

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        path, what = paths[0], self.what(split, language)
        found: list[Example] = []
        mentions = 0
        for line, row in files.objects(path, what, self.layout):
            try:
                found += [_match(row, line)] if split == "train" else _queries(row)
                mentions += 1 if split == "train" else len(row["mentions"])
            except (KeyError, TypeError, ValueError, IndexError) as error:
                raise MalformedRowError(
                    path, line, f"not Mewsli-X's layout: {type(error).__name__} {error}"
                ) from None
        reasons = {left_out.NO_GOLD: mentions - len(found)}
        left_out.record(left_out.Rows(self.name, split, language), mentions, reasons)
        return found

    def candidates(self, source: DataSource, split: Split) -> Iterator[Candidate]:
        """Read as they are needed: a million descriptions are not kept."""
        if source.kind == "embedded":
            from evalsuite.data.embedded import generate as embedded

            yield from (Candidate(id, text) for id, text in embedded.entities(split))
            return
        path = root(source) / _ENTITIES
        for line, row in files.stream(path, f"{self.name}, candidates", self.layout):
            try:
                yield Candidate(str(row["entity_id"]), _description(row))
            except (KeyError, TypeError, ValueError) as error:
                raise MalformedRowError(
                    path, line, f"not an entity of Mewsli-X: {type(error).__name__} {error}"
                ) from None

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        found = suite.mentions(split, language)
        if split == "train":
            about = dict(suite.entities(split))
            return [MatchExample(id, marked(*said), about[entity]) for id, said, entity in found]
        return [QueryExample(id, marked(*said), (entity,)) for id, said, entity in found]


def _queries(row: Any) -> list[QueryExample]:
    """All mentions of one document fragment; those without a label are no rows."""
    return [
        QueryExample(
            str(mention["example_id"]),
            _in_sentence(row["context"], mention["mention_span"]),
            (str(mention["entity_id"]),),
        )
        for mention in row["mentions"]
        if mention["entity_id"]
    ]


def _match(row: Any, line: int) -> MatchExample:
    said = row["contextual_mention"]
    query = _in_sentence(said["context"], said["mention"]["mention_span"])
    return MatchExample(f"train-en-{line - 1}", query, _description(row["entity"]))


def _in_sentence(context: Any, mention: Any) -> str:
    """The sentence the mention is in, marked; all of the text where it is in no one sentence."""
    text, first, last = context["text"], int(mention["start"]), int(mention["end"])
    spans = [(int(span["start"]), int(span["end"])) for span in context["sentence_spans"]]
    start, end = next((a, b) for a, b in [*spans, (0, len(text))] if a <= first < last <= b)
    return marked(text[start:end], first - start, last - start)


def marked(sentence: str, first: int, last: int) -> str:
    """A mention in braces, its text in front; braces already there are made round.

    >>> marked("Nach Prag {hin}.", 5, 9)
    'Prag: Nach { Prag } (hin).'
    """
    left, right = (_MARKED.sub(r"(\1)", part) for part in (sentence[:first], sentence[last:]))
    name = sentence[first:last]
    return _line(f"{name}: {left} {{ {name} }} {right}")


def _description(entity: Any) -> str:
    text = entity["description"]
    spans = entity["sentence_spans"]
    return _line(" ".join(text[int(span["start"]) : int(span["end"])] for span in spans))


def _line(text: str) -> str:
    return " ".join(text.splitlines()).replace("  ", " ").strip()


def _hides_labels(path: Path) -> bool:
    """Whether the first mention does not say its entity; False where the file is no such file."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            return not json.loads(file.readline())["mentions"][0].get("entity_id")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


TASK = Mewslix()
