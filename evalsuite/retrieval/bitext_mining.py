"""Pairs of sentences mined from two corpora: which are proposed, and which are good enough.

>>> dev = Corpora(task.load(source, "dev", "de"), list(task.candidates(source, "dev", "de")))
>>> test = Corpora(task.load(source, "test", "de"), list(task.candidates(source, "test", "de")))
>>> mine(embed, test, fitted_on=dev)
(['en-000000007', None, ...], 1.0623)

As in the reference (`evalsuite.retrieval.ratio_margin`), equal sentences of a side are one
in the search, and a sentence that stands there twice is in no pair, since it would not be known
which is meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from evalsuite.retrieval.ratio_margin import Margins
from evalsuite.retrieval.threshold import best_threshold
from evalsuite.task import Candidate, MiningExample

if TYPE_CHECKING:
    from evalsuite.retrieval.embedding import Embedder


class Corpora(NamedTuple):
    """Both sides."""

    foreign: Sequence[MiningExample]
    english: Sequence[Candidate]


class Proposed(NamedTuple):
    """A pair and its margin."""

    margin: float
    row: int  # of the foreign side
    english: str  # id


def mine(embed: Embedder, corpora: Corpora, fitted_on: Corpora) -> tuple[list[str | None], float]:
    """The English id for each foreign row, None where no pair is good enough; and the threshold,
    the best on `fitted_on`, which may be the same corpora."""
    proposed = propose(embed, corpora)
    known = proposed if fitted_on is corpora else propose(embed, fitted_on)
    threshold = fit(known, fitted_on)
    found: list[str | None] = [None] * len(corpora.foreign)
    for pair in proposed:
        if pair.margin >= threshold:
            found[pair.row] = pair.english
    return found, threshold


def propose(embed: Embedder, corpora: Corpora) -> list[Proposed]:
    """Pairs in which each sentence is at most once, the largest margin first."""
    foreign = [example.foreign for example in corpora.foreign]
    english = [candidate.text for candidate in corpora.english]
    rows, columns = _once(foreign), _once(english)
    margins = Margins.between(embed(list(rows)), embed(list(columns)))
    here, there = list(rows.values()), list(columns.values())
    return [
        Proposed(margin, row, corpora.english[column].id)
        for margin, i, j in margins.pairs()
        if (row := here[i]) is not None and (column := there[j]) is not None
    ]


def _once(sentences: Sequence[str]) -> dict[str, int | None]:
    """Each different sentence, and where it stands; None where it does twice."""
    count = Counter(sentences)
    return {text: None if count[text] > 1 else row for row, text in enumerate(sentences)}


def fit(proposed: Sequence[Proposed], corpora: Corpora) -> float:
    """The margin from which on pairs are taken for the best F1 on these corpora."""
    right = [pair.english in corpora.foreign[pair.row].partners for pair in proposed]
    gold = sum(len(example.partners) for example in corpora.foreign)
    return best_threshold([pair.margin for pair in proposed], right, gold)
