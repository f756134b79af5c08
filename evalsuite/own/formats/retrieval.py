"""Queries and the candidates that answer them; or lines and their translations, side by side.

Candidates are in separate files (`candidates`), with an id and a text each; those of all
languages are searched together. A query names the ids of those that are relevant.
"""

from __future__ import annotations

from collections.abc import Container

from evalsuite.own.formats import _several
from evalsuite.own.row import Row
from evalsuite.task import ParallelExample, QueryExample

FORMAT, METRIC = ("ranking", "retrieval"), ("map_at_20", "retrieval_accuracy")
ROLES = (
    {"query": "query", "relevant": "relevant", "candidate_id": "id", "candidate": "text"},
    {"first": "first", "second": "second"},
)
CANDIDATES = ("candidate_id", "candidate")  # in separate files
GOLD, LISTS = ("relevant",), ()
NOUN = "a query and the ids of relevant candidates, or a line and its translation"
FIXED: tuple[str, ...] = ()  # embeddings are compared, there are no labels


def example(row: Row, id: str, known: Container[str]) -> QueryExample | ParallelExample:
    """A query, with no relevant candidates where the file has none; or two lines.

    Args:
        known: ids of the candidates, which may have a comma in them.
    """
    if "query" not in row.parts:
        return ParallelExample(id, row.text("first"), row.text("second"))
    relevant = tuple(dict.fromkeys(_several.names(row, "relevant", known)))
    if "relevant" in row.parts and not relevant:
        raise row.error("no relevant candidate")
    return QueryExample(id, row.text("query"), relevant)
