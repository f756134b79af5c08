"""A data set of the hub that is read as it comes: what breaks off between two rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError

from evalsuite.bulk.text_shards import find, texts
from evalsuite.errors import DataError, OfflineError
from evalsuite.hub.refusals import Asked

PLACE = f"hub:org/name@{'5' * 40}"


class Breaking:
    """Two rows of a data set, then an error; it has one part."""

    num_shards = 1

    def __init__(self, error: Exception) -> None:
        self.error = error

    def shard(self, num_shards: int, index: int) -> Breaking:
        return self

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield {"text": "a"}
        yield {"text": "b"}
        raise self.error


def gave_up(cause: Exception) -> Exception:
    """As `datasets` ends a read that it has tried again in vain."""
    error = ConnectionError("Server Disconnected")
    error.__cause__ = cause
    return error


def refused(status: int) -> Exception:
    request = httpx2.Request("GET", "http://127.0.0.1")
    return HfHubHTTPError(f"HTTP {status}", response=httpx2.Response(status, request=request))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (gave_up(TimeoutError()), "was cut off (Server Disconnected)\nrun the same command again"),
        (gave_up(httpx2.ReadError("reset")), "was cut off (reset)\nrun the same command again"),
        (gave_up(httpx2.ReadTimeout("late")), "the hub cannot be reached (late)"),
        (gave_up(refused(429)), "(HTTP 429)\nrun the same command again later"),
        (refused(503), "the hub fails (HTTP 503)\nrun the same command again later"),
    ],
)
def test_a_connection_that_breaks_between_two_rows(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.load_dataset", lambda *given, **named: Breaking(error))
    monkeypatch.setattr(Asked, "_asked_again", lambda self: None)
    (shard,) = find(PLACE)
    found = texts(shard)
    assert [next(found), next(found)] == ["a", "b"]
    with pytest.raises(OfflineError) as caught:
        next(found)
    assert "data set org/name@555555555555" in str(caught.value) and said in str(caught.value)


def test_what_the_reader_of_the_rows_does_is_no_fault_of_the_hub(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("datasets.load_dataset", lambda *given, **named: Breaking(ValueError("x")))
    monkeypatch.setattr(Asked, "_asked_again", lambda self: None)
    found = texts(find(PLACE)[0])
    with pytest.raises(KeyError):
        for _ in found:
            raise KeyError
    with pytest.raises(DataError, match=r"cannot read the data set org/name@5+: ValueError: x"):
        list(found)


class Rows:
    """A data set of one part with these rows."""

    num_shards = 1

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows

    def shard(self, num_shards: int, index: int) -> Rows:
        return self

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"id": 1, "text": "a"}, {"id": 2, "text": None}, {"id": 3, "text": "b"}], ["a", "b"]),
        ([{"sentence": "a"}, {"sentence": "b"}], ["a", "b"]),
    ],
)
def test_the_text_is_the_column_text_or_the_only_one(
    rows: list[dict[str, Any]], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.load_dataset", lambda *given, **named: Rows(*rows))
    assert list(texts(find(PLACE)[0])) == found


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"a": "1", "b": "2"}, "no column 'text'; there are: a, b"),
        ({"text": 7}, "row 1: text is no text"),
    ],
)
def test_a_data_set_without_text_is_named(
    row: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.load_dataset", lambda *given, **named: Rows(row))
    with pytest.raises(DataError, match=said):
        list(texts(find(PLACE)[0]))
