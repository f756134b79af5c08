"""Text files: every way one can be wrong, and what the message says then."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.bulk.rows import BadRow
from evalsuite.data import files, parallel
from evalsuite.data.decoded import conversion
from evalsuite.errors import DataError, MalformedRowError, MissingDataError
from evalsuite.task import DataSource

LABELS = ("DET", "NOUN", "X")


def put(folder: Path, content: bytes | str, name: str = "rows.tsv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problem(call: object, *args: object, **kwargs: object) -> str:
    """The text of the MalformedRowError that a reader raises."""
    with pytest.raises(MalformedRowError) as caught:
        list(call(*args, "xnli sw, dev split", "xnli/dev-<lang>.tsv", **kwargs))  # type: ignore
    return str(caught.value)


def test_missing_names_the_file_the_layout_and_the_option(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError) as caught:
        files.lines(tmp_path / "dev-sw.tsv", "xnli sw, dev split", "xnli/dev-<lang>.tsv")
    text = str(caught.value)
    assert f"xnli sw, dev split: there is no {tmp_path}/dev-sw.tsv" in text
    assert "expected layout: xnli/dev-<lang>.tsv" in text
    assert "--data-dir" in text


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf\n", b"  \r\n"])
def test_empty(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, content)
    assert problem(files.lines, path) == (
        f"{path}:1: the file is empty; was its download cut short?"
    )


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*: Is a directory"):
        files.lines(tmp_path, "xnli", "")


def test_not_utf8(tmp_path: Path) -> None:
    path = put(tmp_path, b"good\ncaf\xe9\n")
    assert problem(files.lines, path) == (
        f"{path}:2: not UTF-8 (byte 0xe9); convert it: iconv -f <encoding> -t utf-8 rows.tsv"
    )


def test_one_line_of_many_is_not_utf8(tmp_path: Path) -> None:
    path = put(tmp_path, b"caf\xe9\ngood\n" + "café\n".encode() * 9)
    assert problem(files.lines, path) == (
        f"{path}:1: not UTF-8 (byte 0xe9); other rows are UTF-8, so correct this one, "
        "do not convert the file"
    )


@pytest.mark.parametrize("end", [".gz", ".zst"])
def test_a_packed_file_is_unpacked_before_it_is_converted(end: str) -> None:
    remedy = "unpack it and convert it: iconv -f <encoding> -t utf-8 'new 2.csv'"
    assert conversion(f"new 2.csv{end}") == remedy
    said = str(BadRow(3, "not UTF-8", coded=True).error(f"folder/new 2.csv{end}"))
    assert said == f"folder/new 2.csv{end}:3: not UTF-8; {remedy}"


def test_nul(tmp_path: Path) -> None:
    path = put(tmp_path, b"a\nb\nc\0d\n")
    assert problem(files.lines, path).startswith(f"{path}:3: a NUL byte")


def test_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = put(tmp_path, "\ufeffa\u2028b\r\nc\x85d\n")
    assert files.lines(path, "", "") == ["a\u2028b", "c\x85d"]


def test_pairs(tmp_path: Path) -> None:
    path = put(tmp_path, "a\tb\tneutral\nc\td\tentailment")
    assert list(files.pairs(path, "", "")) == [
        (1, "a", "b", "neutral"),
        (2, "c", "d", "entailment"),
    ]


def test_pairs_with_hidden_labels(tmp_path: Path) -> None:
    path = put(tmp_path, "a\tb\n")
    assert list(files.pairs(path, "", "", hidden=True)) == [(1, "a", "b", None)]
    assert "2 columns separated by tabs where 3 are due" in problem(files.pairs, path)


def test_truncated_pair(tmp_path: Path) -> None:
    path = put(tmp_path, "a\tb\tneutral\nc onl")
    assert problem(files.pairs, path) == (
        f"{path}:2: 1 columns separated by tabs where 3 are due "
        "(first sentence, second sentence, label): 'c onl'"
    )


def test_empty_sentence(tmp_path: Path) -> None:
    path = put(tmp_path, "a\t \tneutral\n")
    assert problem(files.pairs, path) == f"{path}:1: an empty sentence: 'a\\t \\tneutral'"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('"He said ""no"" twice"', 'He said "no" twice'),
        ('"said"', '"said"'),  # csv would have doubled the marks, so these are the text's own
        ('"a" and "b"', '"a" and "b"'),
        ('""', '""'),
    ],
)
def test_quote_marks_of_csv(tmp_path: Path, written: str, read: str) -> None:
    path = put(tmp_path, f"{written}\tb\tneutral\n")
    assert next(files.pairs(path, "", ""))[1] == read


def tagged_problem(path: Path) -> str:
    with pytest.raises(MalformedRowError) as caught:
        files.tagged(path, "udpos", "", LABELS, hidden=True)
    return str(caught.value)


def test_tagged(tmp_path: Path) -> None:
    path = put(tmp_path, "the\tDET\ncat\tNOUN\n\n\nend\tX")
    assert files.tagged(path, "", "", LABELS) == [
        (1, ("the", "cat"), ("DET", "NOUN")),
        (5, ("end",), ("X",)),
    ]


def test_tagged_with_hidden_tags(tmp_path: Path) -> None:
    path = put(tmp_path, "the\ncat\n\nend\n")
    hidden = files.tagged(path, "", "", LABELS, hidden=True)
    assert hidden == [(1, ("the", "cat"), ()), (4, ("end",), ())]
    with pytest.raises(MalformedRowError, match="1: 1 columns separated by tabs where 2 are due"):
        files.tagged(path, "", "", LABELS)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("the\tDET\ncat\n", "2: 1 columns separated by tabs where 2 are due (word, tag): 'cat'"),
        ("the\ncat\tX\n", "2: 2 columns separated by tabs where 1 are due (word; this file hides"),
        ("a\tDET\tX\n", "1: 3 columns separated by tabs where 2 are due"),
        ("the\tDET\n\n\tNOUN\n", "3: a tag without a word: '\\tNOUN'"),
        ("cat\tNN\n", "1: unknown tag 'NN'; allowed: DET NOUN X"),
        ("cat\t\n", "1: unknown tag ''; allowed: DET NOUN X"),
    ],
)
def test_malformed_tags(tmp_path: Path, content: str, text: str) -> None:
    path = put(tmp_path, content)
    assert tagged_problem(path).startswith(f"{path}:{text}")


def test_aligned(tmp_path: Path) -> None:
    left, right = put(tmp_path, "eins\nzwei\n", "a.deu"), put(tmp_path, "one\ntwo\n", "a.eng")
    assert list(files.aligned(left, right, "", "")) == [(1, "eins", "one"), (2, "zwei", "two")]


def test_aligned_of_unequal_length(tmp_path: Path) -> None:
    left, right = put(tmp_path, "eins\n", "a.deu"), put(tmp_path, "one\ntwo\n", "a.eng")
    assert problem(files.aligned, left, right) == (
        f"{left}:2: 1 lines against 2 in a.eng; the two are aligned by line, "
        "so one of them is cut short or changed"
    )


def test_aligned_with_an_empty_line(tmp_path: Path) -> None:
    left, right = put(tmp_path, "eins\nzwei\n", "a.deu"), put(tmp_path, "one\n \n", "a.eng")
    assert problem(files.aligned, left, right) == f"{right}:2: an empty sentence"


def pack(text: str, size: bool = True) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_content_size=size).compress(text.encode())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    put(tmp_path, pack("one\teins\tx\ntwo\tzwei\tx\n"), "parallel/de.tsv.zst")
    put(tmp_path, "one\tmoja\n", "parallel/sw.tsv")
    put(tmp_path, pack("moja\u2028\nmbili\n", size=False), "mono/sw.txt.zst")
    put(tmp_path, pack("one\n"), "mono/en.txt.zst")
    return tmp_path


def test_corpus(corpus: Path) -> None:
    source = DataSource("xtreme", corpus)
    assert parallel.languages(source) == ("de", "sw")
    assert parallel.monolingual_languages(source) == ("en", "sw")
    assert [path.name for path in parallel.files(source)] == [
        *("en.txt.zst", "sw.txt.zst", "de.tsv.zst", "sw.tsv"),
    ]
    assert [(e.id, e.foreign, e.english) for e in parallel.pairs(source, "de")] == [
        ("de-0", "eins", "one"),
        ("de-1", "zwei", "two"),
    ]
    assert [e.foreign for e in parallel.pairs(source, "sw")] == ["moja"]
    assert list(parallel.monolingual(source, "sw")) == ["moja\u2028", "mbili"]


def test_corpus_beside_the_data_directory(corpus: Path, tmp_path: Path) -> None:
    corpus.joinpath("xtreme").mkdir()
    (tmp_path / "corpus").mkdir()
    for name in ("parallel", "mono"):
        (tmp_path / name).rename(tmp_path / "corpus" / name)
    source = DataSource("xtreme", tmp_path / "xtreme")
    assert parallel.languages(source) == ("de", "sw")


def test_corpus_problems(corpus: Path) -> None:
    source = DataSource("xtreme", corpus)
    with pytest.raises(MissingDataError, match="parallel text, fr: there is no"):
        list(parallel.pairs(source, "fr"))
    (corpus / "empty").mkdir()
    with pytest.raises(MissingDataError, match=r"parallel text for pretraining: there is no .*/co"):
        parallel.files(DataSource("xtreme", corpus / "empty"))
    with pytest.raises(DataError, match="the hub source has no parallel text"):
        parallel.languages(DataSource("hub"))
    put(corpus, "one\tmoja\nalone\n", "parallel/sw.tsv")
    with pytest.raises(MalformedRowError, match=r"sw\.tsv:2: a row is English, translation"):
        list(parallel.pairs(source, "sw"))
    put(corpus, "one\tcaf\u00e9\n".encode("latin-1"), "parallel/sw.tsv")
    with pytest.raises(MalformedRowError, match=r"sw\.tsv:1: not UTF-8"):
        list(parallel.pairs(source, "sw"))


@pytest.mark.parametrize("keep", [3, 40, 2000])
def test_corpus_cut_short(corpus: Path, keep: int) -> None:
    text = "".join(f"one {n}\tmoja {n * n * 7919 % 10007}\n" for n in range(2000))
    put(corpus, pack(text)[:keep], "parallel/de.tsv.zst")
    source = DataSource("xtreme", corpus)
    with pytest.raises(MalformedRowError, match=r"de\.tsv\.zst:\d+: "):
        list(parallel.pairs(source, "de"))
