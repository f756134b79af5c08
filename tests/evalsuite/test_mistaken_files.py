"""A file of a language that holds no rows is an error; it never leaves the scores in silence."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from all_tasks import find

from evalsuite.data import parallel
from evalsuite.data.mistaken import refuse_mistaken
from evalsuite.errors import DataError, MalformedRowError, MissingDataError
from evalsuite.evaluate import evaluate
from evalsuite.inference.open_model import open_model
from evalsuite.task import DataSource, Split
from recipes.planning.data_digests import digest_need
from recipes.stages._shared.contract import DataNeed

PAIRS = "a b\tc d\tneutral\nb c\td e\tentailment\n"
DAMAGES = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n\n", "the file is empty"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
        "it looks like a Git LFS pointer and not the file itself; in the repository, "
        "type: git lfs pull",
    ),
    "annex": (b"/annex/objects/SHA256E-s12--4d7a.tsv\n", "it looks like a git-annex pointer"),
    "page": (b"\n<!DOCTYPE html>\n<title>404</title>", "it looks like a web page and not data"),
    "gzip": (gzip.compress(PAIRS.encode()), "it looks like gzip data; unpack the file"),
    "zip": (b"PK\x03\x04\x14\0", "it looks like zip data"),
    "utf-16": ("a\tb".encode("utf-16"), "it looks like UTF-16 text"),
    "old Mac": (b"a b\tc d\tneutral\rb c\td e\tneutral\r", "its lines end as on old Macs"),
}
FILES: dict[str, tuple[Split, str, str]] = {  # task -> split, file, language
    "xnli": ("dev", "xnli/dev-sw.tsv", "sw"),
    "pawsx": ("test", "pawsx/test-ko.tsv", "ko"),
    "panx": ("test", "panx/test-sw.tsv", "sw"),
    "udpos": ("test", "udpos/test-sw.tsv", "sw"),
    "tatoeba": ("test", "tatoeba/tatoeba.swh-eng.eng", "sw"),
    "bucc2018": ("dev", "bucc2018/ru-en.dev.gold", "ru"),
    "xquad": ("test", "xquad/xquad.el.json", "el"),
    "lareqa": ("test", "lareqa/el.json", "el"),
    "mlqa": ("dev", "mlqa/dev-context-vi-question-vi.json", "vi"),
    "tydiqa": ("dev", "tydiqa/tydiqa.goldp.sw.dev.json", "sw"),
    "xcopa": ("test", "xcopa/test-sw.jsonl", "sw"),
    "mewslix": ("test", "mewslix/wikinews_mentions/test-uk.jsonl", "uk"),
    "snli": ("dev", "snli/dev-en.tsv", "en"),
    "rte": ("dev", "rte/dev-en.tsv", "en"),
}


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_is_an_error_of_its_task(
    name: str, damage: str, tmp_path: Path
) -> None:
    split, file, language = FILES[name]
    content, problem = DAMAGES[damage]
    for other in ("tatoeba/tatoeba.swh-eng.swh", "bucc2018/ru-en.dev.ru", "bucc2018/ru-en.dev.en"):
        put(tmp_path, other, b"a-1\tb\n")  # those that are read with the damaged one
    path = put(tmp_path, file, content)
    task, source = find(name), DataSource("xtreme", tmp_path)
    assert language in task.available(source, split)
    with pytest.raises(MalformedRowError) as caught:
        task.load(source, split, language)
    if damage == "old Mac" and path.suffix == ".json":  # a line end like any other in JSON
        problem = "not JSON"
    assert str(caught.value).startswith(f"{path}:1: {problem}")


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_found_before_anything_runs(damage: str, tmp_path: Path) -> None:
    content, problem = DAMAGES[damage]
    path = put(tmp_path, "xnli/dev-sw.tsv", content)
    with pytest.raises(MalformedRowError) as caught:
        digest_need(DataNeed("xnli", "dev"), DataSource("xtreme", tmp_path))
    assert str(caught.value).startswith(f"{path}:1: {problem}")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["mono/sw.txt", "mono/sw.txt.zst", "parallel/sw.tsv"])
def test_text_for_pretraining(name: str, damage: str, tmp_path: Path) -> None:
    content, problem = DAMAGES[damage]
    put(tmp_path, "parallel/de.tsv", b"a\tb\n")
    path = put(tmp_path, name, content)
    read = parallel.pairs if name.startswith("parallel") else parallel.monolingual
    with pytest.raises(MalformedRowError) as caught:
        list(read(DataSource("xtreme", tmp_path), "sw"))
    expected = problem if path.suffix != ".zst" or damage in {"pointer", "gzip"} else ""
    assert str(caught.value).startswith(f"{path}:1: {expected}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("xnli/dev-sw.tsv", "a b\tc d\n"),  # dev files do not hide their labels
        ("xnli/test-sw.tsv", "a b\tc d\tx\tneutral\n"),
        ("panx/dev-sw.tsv", "Anton\nkam\n"),
        ("udpos/test-sw.tsv", "1\tGo\tVERB\n"),
    ],
)
def test_another_number_of_columns(name: str, content: str, tmp_path: Path) -> None:
    path = put(tmp_path, name, content.encode())
    task, split = find(path.parent.name), path.name.split("-")[0]
    source = DataSource("xtreme", tmp_path)
    assert task.available(source, split) == ("sw",)  # type: ignore[arg-type]
    with pytest.raises(MalformedRowError, match=r"sw\.tsv:1: \d columns separated by tabs where"):
        task.load(source, split, "sw")  # type: ignore[arg-type]


def test_rows_that_are_all_left_out(tmp_path: Path) -> None:
    put(tmp_path, "xnli/dev-sw.tsv", b"a\tb\t-\nc\td\t-\n")
    with pytest.raises(DataError, match=r"xnli sw, dev split: .*dev-sw\.tsv gives no rows"):
        find("xnli").load(DataSource("xtreme", tmp_path), "dev", "sw")


def test_a_link_to_nothing_and_a_folder(tmp_path: Path) -> None:
    source = DataSource("xtreme", tmp_path)
    (tmp_path / "xquad").mkdir()
    (tmp_path / "xquad/xquad.de.json").symlink_to(tmp_path / "objects/4d7a")
    (tmp_path / "xquad/xquad.el.json").mkdir()
    assert find("xquad").available(source, "test") == ("de", "el")
    with pytest.raises(MissingDataError, match=r"xquad\.de\.json is a link to a file that does"):
        find("xquad").load(source, "test", "de")
    with pytest.raises(DataError, match=r"cannot read .*xquad\.el\.json: Is a directory"):
        find("xquad").load(source, "test", "el")
    with pytest.raises(DataError, match="Is a directory"):
        refuse_mistaken(tmp_path)


SQUAD = '{"data": [{"paragraphs": [{"context": "a. b.", "sentence_breaks": [[0, 2], [3, %s]], '
SQUAD += '"qas": [{"id": "1", "question": "a?", "answers": [{"text": "a", "answer_start": %s}]}]}]}'
MENTION = '{"context": {"text": "a", "sentence_spans": []}, "mentions": [{"entity_id": %s}]}'


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("1e999", "the number 1e999 is not finite"),
        ("-1e999", "the number -1e999 is not finite"),
        ("NaN", "the number NaN is not finite"),
        ("9" * 5000, "Exceeds the limit"),
        ("[" * 30_000 + "]" * 30_000, "it is nested too deep"),
        ('"\\ud83d"', "\\ud83d is half of a character"),
    ],
)
@pytest.mark.parametrize("name", ["xquad", "lareqa", "tydiqa", "mlqa", "xcopa", "mewslix"])
def test_json_that_no_program_can_hold(
    name: str, number: str, problem: str, tmp_path: Path
) -> None:
    split, file, language = FILES[name]
    text = (SQUAD % (5, number) + "]}") if file.endswith(".json") else MENTION % number
    path = put(tmp_path, file, text.encode())
    with pytest.raises(MalformedRowError) as caught:
        find(name).load(DataSource("xtreme", tmp_path), split, language)
    assert str(caught.value).startswith(f"{path}:1: ") and problem in str(caught.value)


def test_languages_without_rows_are_in_the_result(tiny_nli: Path, tmp_path: Path) -> None:
    put(tmp_path, "xnli/dev-sw.tsv", PAIRS.encode())
    source = DataSource("xtreme", tmp_path)
    found = evaluate(
        open_model(tiny_nli), find("xnli"), source, label="m", out=tmp_path / "predictions"
    )
    assert len(found.absent_languages) == 14 and "en" in found.absent_languages
    assert "sw" not in found.absent_languages
