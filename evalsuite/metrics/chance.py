"""What guessing scores on a task's main metric: the floor a score is read against.

>>> majority(["neutral", "neutral", "entailment", "contradiction"])
50.0
>>> best_constant_chunk_f1([["B-PER", "O"], ["O"]], ("O", "B-PER", "I-PER"))
50.0

A guesser who has seen the gold rows of the language picks the one answer that scores best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evalsuite.metrics import ranking
from evalsuite.metrics.chunks import Counts, chunks, common
from evalsuite.registry import FORMATS
from evalsuite.task import (
    ChoiceExample,
    Example,
    MiningExample,
    PairExample,
    QueryExample,
    SpanExample,
    TagExample,
    Task,
)


def chance(
    task: Task, examples: Sequence[Example], language: str = "en", candidates: int = 0
) -> float:
    """Percent a guesser scores on `task.metric` over these examples.

    - pairs and choices: the share of the most frequent label (rows with a hidden label left out);
    - tags, `chunk_f1`: the best tag to give every word; `token_accuracy`: the most frequent tag;
    - spans: the most frequent answer, given to every question;
    - retrieval: one in n;
    - mining: one of that many `candidates` drawn for each row;
    - ranking: a random order of that many `candidates`.

    Raises:
        ValueError: no examples, or none with gold labels.
    """
    if task.format == "retrieval":
        return one_in(len(examples))
    if task.format == "mining":
        return random_pairs(
            [len(e.partners) for e in examples if isinstance(e, MiningExample)], candidates
        )
    if task.format == "ranking":
        right = [len(e.relevant) for e in examples if isinstance(e, QueryExample)]
        return sum(ranking.chance(count, candidates) for count in right) / len(right)
    if task.format == "pair":
        return majority([e.label for e in examples if isinstance(e, PairExample) and e.label])
    if task.format == "choice":
        shown = [e.label for e in examples if isinstance(e, ChoiceExample)]
        return majority([str(label) for label in shown if label is not None])
    if task.format == "span":
        return constant_answer_f1(task, examples, language)
    rows = [e.tags for e in examples if isinstance(e, TagExample) and e.tags]
    if task.metric == "token_accuracy":
        return majority([tag for row in rows for tag in row])
    return best_constant_chunk_f1(rows, task.labels)


def one_in(rows: int) -> float:
    """Retrieval among so many rows."""
    if rows < 1:
        raise ValueError("no rows to guess among")
    return 100.0 / rows


def random_pairs(partners: Sequence[int], candidates: int) -> float:
    """Mining F1 to be expected of a candidate drawn for each row, by how many are right for it."""
    if not sum(partners):
        raise ValueError("no pairs to guess")
    return 100.0 * 2 * sum(partners) / candidates / (len(partners) + sum(partners))


def majority(gold: Sequence[str]) -> float:
    """Share of the most frequent label."""
    if not gold:
        raise ValueError("no gold labels to guess from")
    return 100.0 * max(Counter(gold).values()) / len(gold)


def constant_answer_f1(task: Task, examples: Sequence[Example], language: str) -> float:
    """Answer F1 of the answer that is right most often."""
    shown = [e for e in examples if isinstance(e, SpanExample) and e.answers]
    if not shown:
        raise ValueError("no gold answers to guess from")
    (answer, _), *_ = Counter(example.answers[0].text for example in shown).most_common(1)
    scores: dict[str, float] = FORMATS.get("span").score(
        task, language, shown, [answer] * len(shown)
    )
    return scores["answer_f1"]


def best_constant_chunk_f1(gold: Sequence[Sequence[str]], labels: Sequence[str]) -> float:
    """Chunk F1 of the best single tag for every word."""
    if not gold:
        raise ValueError("no gold labels to guess from")
    right, best = chunks(gold), 0.0
    lengths = {len(row) for row in gold}
    for tag in labels:
        constant = {length: [tag] * length for length in lengths}
        said = chunks([constant[len(row)] for row in gold])
        found = Counts(len(common(right, said)), len(said.last), len(right.last))
        best = max(best, found.scores()["f1"])
    return best
