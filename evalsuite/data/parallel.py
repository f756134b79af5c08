"""Parallel and one-language text for pretraining.

parallel/sw.tsv.zst   Step 7.2: Cost Optimization TAB Hatua 7.2: Uboreshaji wa Gharama TAB source
mono/sw.txt.zst       one segment a line

>>> next(pairs(DataSource("xtreme", Path("data/xtreme")), "sw")).english
'Step 7.2: Cost Optimization'

Files are streamed, plain or compressed with zstd. For `source: xtreme` the corpus is looked for in
`<data_dir>` and then in `<data_dir>/../corpus`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TextIO

from evalsuite.data.mistaken import EMPTY, is_there, refuse_mistaken
from evalsuite.data.sourced import english_first, root
from evalsuite.data.unzstd import as_stream, unpacked
from evalsuite.errors import DataError, MalformedRowError, MissingDataError
from evalsuite.task import DataSource, ParallelExample

LAYOUT = "<data-dir>/../corpus/parallel/<lang>.tsv.zst and mono/<lang>.txt.zst"


def files(source: DataSource) -> tuple[Path, ...]:
    """All files of the corpus, sorted (none for `embedded`); raises as `pairs` does."""
    if source.kind == "embedded":
        return ()
    place = _place(source)
    kinds = (("parallel", ".tsv"), ("mono", ".txt"))
    return tuple(sorted(path for kind in kinds for path in _found(place, *kind).values()))


def languages(source: DataSource) -> tuple[str, ...]:
    """Languages with parallel text, sorted; English is the other side of all."""
    if source.kind == "embedded":
        from evalsuite.data.embedded import generate as embedded

        return tuple(sorted(code for code in embedded.LANGUAGES if code != "en"))
    return tuple(sorted(_found(_place(source), "parallel", ".tsv")))


def monolingual_languages(source: DataSource) -> tuple[str, ...]:
    """Languages that have text, English first (none in `embedded`)."""
    if source.kind == "embedded":
        return ()
    return english_first(_found(_place(source), "mono", ".txt"))


def pairs(source: DataSource, language: str) -> Iterator[ParallelExample]:
    """The sentence pairs of a language, in file order.

    Raises:
        MissingDataError: there is no such file.
        MalformedRowError: a row has fewer than two columns, or the file is cut short.
        DataError: the source has no parallel text (hub).
    """
    if source.kind == "embedded":
        from evalsuite.data.embedded import generate as embedded

        yield from _generated(embedded, language)
        return
    path = _path(_place(source), "parallel", ".tsv", language)
    for number, line in _lines(path):
        fields = line.split("\t")
        if len(fields) < 2 or not fields[0].strip() or not fields[1].strip():
            raise MalformedRowError(
                path, number, "a row is English, translation and source, separated by tabs"
            )
        yield ParallelExample(f"{language}-{number - 1}", fields[1], fields[0])


def monolingual(source: DataSource, language: str) -> Iterator[str]:
    """The segments of a language, in file order; none in `embedded`. Raises as `pairs` does."""
    if source.kind == "embedded":
        return
    path = _path(_place(source), "mono", ".txt", language)
    for _, line in _lines(path):
        yield line


def segments(path: Path) -> Iterator[str]:
    """The lines of one file of text, plain or compressed with zstd.

    Raises:
        MissingDataError: there is no such file.
        MalformedRowError: it is not UTF-8, or cut short.
    """
    if not path.is_file():
        raise MissingDataError(path, "text", "UTF-8, a segment a line, plain or .zst")
    for _, line in _lines(path):
        yield line


@cache
def _generated(suite: ModuleType, language: str) -> tuple[ParallelExample, ...]:
    """Pairs of the embedded suite. They are generated once per process, which takes 40 ms."""
    return tuple(suite.parallel("train", language))


def _place(source: DataSource) -> Path:
    if source.kind == "hub":
        raise DataError(
            "the hub source has no parallel text for pretraining\n"
            "set `source: xtreme` with --data-dir, or `source: embedded`; "
            "an export can do with training rows, `calibration_text: train`"
        )
    here = root(source)
    place = here if (here / "parallel").is_dir() else here.parent / "corpus"
    if not (place / "parallel").is_dir():
        raise MissingDataError(place / "parallel", "parallel text for pretraining", LAYOUT)
    return place


def _found(place: Path, kind: str, suffix: str) -> dict[str, Path]:
    """Language -> file; a plain file goes before a compressed one of the same language."""
    paths = [path for end in (".zst", "") for path in (place / kind).glob(f"*{suffix}{end}")]
    return {path.name.split(".", 1)[0]: path for path in paths}


def _path(place: Path, kind: str, suffix: str, language: str) -> Path:
    path = place / kind / f"{language}{suffix}"
    if is_there(path):
        return path
    packed = path.with_name(path.name + ".zst")
    if not is_there(packed):
        raise MissingDataError(packed, f"{kind} text, {language}", LAYOUT)
    return packed


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines of a text file, unpacked on the way."""
    refuse_mistaken(path)
    number = 0
    try:
        with _open(path) as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise MalformedRowError(path, number + 1, f"not UTF-8: {error.reason}") from None
    except _Damaged as error:
        raise MalformedRowError(path, number + 1, str(error)) from None
    if not number:
        raise MalformedRowError(path, 1, EMPTY)


class _Damaged(Exception):
    """A compressed file is cut short or changed."""


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    if path.suffix != ".zst":
        with path.open(encoding="utf-8-sig", newline="\n") as stream:
            yield stream
        return
    import zstandard

    with path.open("rb") as packed:
        raw = as_stream(unpacked(packed.read))
        try:
            with io.TextIOWrapper(raw, encoding="utf-8-sig", newline="\n") as stream:
                yield stream
        except zstandard.ZstdError as error:
            raise _Damaged(f"not readable as zstd ({error}); copy the file again") from None
