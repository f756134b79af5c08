"""What formats share whose rows have one label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.own.row import Row


def of(row: Row) -> str | None:
    """Its label as it is named; None where the file has no labels.

    Raises:
        MalformedRowError: the field is empty, or has several lines.
    """
    if (written := row.parts.get("label")) is None:
        return None
    if not written.strip():
        raise row.error("no label")
    if not in_one_line(written.strip()):
        raise row.error("a label of several lines; write it in one")
    return row.spelling(written.strip())


def in_one_line(label: str) -> bool:
    """Whether a label has no line break: predictions are written one per line."""
    return not {"\n", "\r"} & set(label)


def found(rows: Iterable[Row]) -> tuple[str, ...]:
    """The labels of some rows: numbers in their order, names sorted."""
    return in_order({label for row in rows if (label := of(row)) is not None})


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Numbers in their order; names sorted, `O` first.

    >>> in_order({"10", "9", "09"}), in_order({"b", "O", "a"})
    (('09', '9', '10'), ('O', 'a', 'b'))
    """
    every = set(labels)
    if all(label.removeprefix("-").isdecimal() for label in every):
        return tuple(sorted(every, key=lambda label: (int(label), label)))
    return tuple(sorted(every, key=lambda label: (label != "O", label)))


def known(row: Row, labels: Sequence[str]) -> str | None:
    """Its label, which has to be one of the task's.

    Raises:
        MalformedRowError: it is not, or the field is empty.
    """
    label = of(row)
    return None if label is None else among(row, label, labels)


def among(row: Row, label: str, labels: Sequence[str]) -> str:
    """A label, which has to be one of the task's.

    Raises:
        MalformedRowError: it is not.
    """
    if label not in labels:
        raise row.error(f"unknown label {label!r}; allowed: {', '.join(labels)}")
    return label
