"""A question, a context and the answers in it: SQuAD JSON, or a table of such rows.

In a table `answers` is JSON as SQuAD's parquet files have it, `{"text": ["1867"], "answer_start":
[9]}`, or a list of texts. Where rows say `is_impossible`, as in SQuAD 2.0, a question may have no
answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.data.decoded import decoded
from evalsuite.data.json_text import parse
from evalsuite.errors import MalformedRowError
from evalsuite.own.records import raw_content, without_compression
from evalsuite.own.row import Row
from evalsuite.task import NO_ANSWER, SPAN_ENDS, Answer, OptionalSpanExample, SpanExample

if TYPE_CHECKING:
    from evalsuite.own.declaration import Declaration

FORMAT, METRIC = "span", "answer_f1"
ROLES = ({"question": "question", "context": "context", "answers": "answers"},)
GOLD, LISTS = ("answers",), ()
NOUN = "a question, a context and its answers, as SQuAD has them"
FIXED = SPAN_ENDS  # what its models give; the recipe has no labels
Problem = Callable[[str], MalformedRowError]
_ID = re.compile(r'"id"\s*:\s*')


def reads_whole(path: Path) -> bool:
    """Whether a file is SQuAD JSON, and no table."""
    return without_compression(path).suffix.lower() == ".json"


def example(row: Row, id: str, labels: Sequence[str]) -> SpanExample:
    """A question of a table."""
    question, context = row.text("question"), row.text("context")
    if (written := row.parts.get("answers")) is None:
        return SpanExample(id, question, context, ())
    try:
        said = json.loads(written)
    except ValueError:
        raise row.error(f'answers: {written[:60]!r} is not JSON, such as ["1867"]') from None
    if isinstance(said, dict) and {"text", "answer_start"} <= set(said):
        texts, starts = said["text"], said["answer_start"]
        if not (isinstance(texts, list) and isinstance(starts, list)):
            raise row.error("answers: text and answer_start are not lists, such as [9]")
        if len(texts) != len(starts):
            count = f"{len(texts)} texts and {len(starts)} places (answer_start)"
            raise row.error(f"answers: {count}; give one place for each text")
        pairs = list(zip(texts, starts, strict=True))
    elif isinstance(said, list):
        pairs = [(text, -1) for text in said]
    else:
        raise row.error(f"answers: {written[:60]!r} is neither a list of texts nor SQuAD's")
    answers = tuple(_placed(context, text, start, row.error) for text, start in pairs)
    if not answers:
        raise row.error("no answer")
    return SpanExample(id, question, context, answers)


def examples(
    declaration: Declaration, path: Path, prefix: str, labels: Sequence[str]
) -> Iterator[SpanExample]:
    """The questions of a SQuAD file, which have ids.

    Raises:
        MalformedRowError: it is not JSON, not SQuAD's layout, or an answer is not in its context.
    """
    text = decoded(path, raw_content(path), by_line=False)
    tree = parse(path, 1, text)
    rows = list(_questions(path, text, tree))
    hides = prefix.startswith("test-") and not any(row.get("answers") for _, _, row in rows)
    optional = any("is_impossible" in row for _, _, row in rows)
    seen: dict[str, int] = {}
    for line, context, row in rows:

        def problem(said: str, line: int = line, row: Any = row) -> MalformedRowError:
            return MalformedRowError(path, line, f"question {row['id']!r}: {said}")

        id = str(row["id"])
        if id in seen:
            raise problem(f"its id is that of the question in line {seen[id]} too")
        seen[id] = line
        if not row["question"].strip() or not context.strip():
            raise problem("an empty question" if context.strip() else "an empty context")
        answers = _answers(context, row, problem, hides)
        if optional and not hides:
            none = (Answer(NO_ANSWER, -1),)
            yield OptionalSpanExample(id, row["question"], context, answers or none)
        else:
            yield SpanExample(id, row["question"], context, answers)


def _questions(path: Path, text: str, tree: Any) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line, context and question, of each question in a file's order."""
    ids, line, found = _ids(text), 1, False

    def part(holder: Any, key: str, kind: type, noun: str) -> Any:
        has = isinstance(holder, dict) and key in holder
        if has and isinstance(holder[key], kind):
            return holder[key]
        said = f"{key!r} is not {noun}" if has else f"there is no {key!r}"
        raise MalformedRowError(path, line, f"not SQuAD's layout: {said}")

    articles = tree if isinstance(tree, list) else part(tree, "data", list, "a list")
    for article in articles:
        for paragraph in part(article, "paragraphs", list, "a list"):
            context = part(paragraph, "context", str, "text")
            for row in part(paragraph, "qas", list, "a list"):
                id = part(row, "id", object, "")
                line = next((at for at, value in ids if value == id), line)
                found = True
                if isinstance(id, bool) or not isinstance(id, str | int):
                    part(row, "id", str, "text or a number")
                part(row, "question", str, "text")
                yield line, context, row
    if not found:
        raise MalformedRowError(path, 1, "there is no question in it")


def _ids(text: str) -> Iterator[tuple[int, Any]]:
    """Line and value of every `"id"` in JSON, in its order; the text is gone through once."""
    read, line, counted = json.JSONDecoder().raw_decode, 1, 0
    for key in _ID.finditer(text):
        line += text.count("\n", counted, key.end())
        counted = key.end()
        yield line, read(text, counted)[0]


def _answers(
    context: str, row: dict[str, Any], problem: Problem, hides: bool
) -> tuple[Answer, ...]:
    """The answers of a question of a SQuAD file; none where it says that there is none.

    Args:
        hides: no question of the file has its answers.
    """
    found = row.get("answers")
    if found is not None and not isinstance(found, list):
        raise problem("answers: not a list")
    answers = tuple(_answer(context, answer, problem) for answer in found or ())
    impossible = row.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise problem(f"is_impossible: {impossible!r} is neither true nor false")
    if impossible and answers:
        raise problem("is_impossible: true, and yet there is an answer")
    if not answers and not impossible and not hides:
        raise problem("no answer; where a question may have none, it says is_impossible: true")
    return answers


def _answer(context: str, answer: Any, problem: Problem) -> Answer:
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        raise problem("an answer without a text")
    start = answer.get("answer_start", -1)
    if not isinstance(start, int) or isinstance(start, bool):
        raise problem(f"answer_start: {start!r} is not a number of characters")
    return _placed(context, answer["text"], start, problem)


def _placed(context: str, text: Any, start: Any, problem: Problem) -> Answer:
    """The answer where the file says, or the nearest place where the context has it."""
    if not isinstance(text, str) or not text.strip():
        raise problem("an empty answer")
    if not isinstance(start, int):
        raise problem(f"answer_start: {start!r} is not a number of characters")
    if start >= 0 and context.startswith(text, start):
        return Answer(text, start)
    places = [at for at in range(len(context)) if context.startswith(text, at)]
    if not places:
        raise problem(f"the answer {text[:60]!r} is not in its context")
    return Answer(text, min(places, key=lambda place: abs(place - start)))
