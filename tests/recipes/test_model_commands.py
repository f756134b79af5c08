"""`predict` and `embed` on small models: what they write, how they exit, what they show."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import small
from made_once import made_once

from evalsuite.bulk.journal import Done
from evalsuite.bulk.rows import BadRow
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.retrieval.declared_vectors import SentenceModel, declared_by
from recipes.cli import row_progress
from recipes.cli.draft_commands import _columns
from recipes.cli.row_progress import RowProgress
from recipes.errors import RecipesError
from transfer.models.checkpoints import copy_tokenizer

TEXTS = ["Es regnet.", "A long sentence about the weather, which is fine.", "Nein"]
Cli = Callable[..., tuple[str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)


def model(head: str = "pair", **more: Any) -> str:
    name = "-".join(["small", head, *map(str, more)])
    return str(made_once(name, lambda out: small(out, head, **more)))


def answers(directory: str, lines: list[str]) -> list[dict[str, Any]]:
    return list(predict_lines(Path(directory), lines))


def near(found: dict[str, float], right: dict[str, float]) -> bool:
    return found == pytest.approx(right, abs=2e-6)


def test_predict_answers_a_table_as_it_answers_lines(cli: Cli, tmp_path: Path) -> None:
    with (tmp_path / "r.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(TEXTS), [3, " "]])
    out, err = cli(0, "predict", model(), "r.csv", "--output", "o.jsonl")
    assert out == ""
    first, last = err.splitlines()
    assert first == "r.csv:5: an empty text in column 'text'"
    assert last.startswith("3 rows answered, 1 bad row(s) left out (see o.jsonl.bad.jsonl), ")
    found = [json.loads(line) for line in Path("o.jsonl").read_text().splitlines()]
    for number, (row, right) in enumerate(zip(found, answers(model(), TEXTS), strict=True)):
        assert (row["id"], row["text"], row["label"]) == (
            str(number),
            TEXTS[number],
            right["label"],
        )
        assert near(row["scores"], right["scores"])
    assert "error: r.csv:5: an empty text" in cli(2, "predict", model(), "r.csv", "--strict")[1]
    assert cli(2, "predict", model(), "r.csv", "-o", "o.jsonl")[1].startswith(
        "error: o.jsonl is there already; delete it, or give --output another name"
    )


def test_a_file_in_another_encoding_ends_with_what_to_do(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = "text\nIt rains.\nKündigung\nÄrger\n".encode("cp1252")
    Path("new 2.csv").write_bytes(raw)
    said = cli(0, "predict", model(), "new 2.csv")[1].splitlines()
    remedy = "is not UTF-8; convert it: iconv -f <encoding> -t utf-8"
    assert said[:2] == ["new 2.csv:3: not UTF-8 (byte 0xfc)", "new 2.csv:4: not UTF-8 (byte 0xc4)"]
    assert said[2].startswith("1 rows answered, 2 bad row(s) left out")
    assert said[3:] == [f"new 2.csv {remedy} 'new 2.csv'"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    said = cli(0, "predict", model())[1].splitlines()
    assert said[-1] == f"standard input {remedy}"


def test_one_row_in_another_encoding_is_not_the_whole_file(cli: Cli) -> None:
    rows = ["déjà vu\n".encode()] * 1000
    for at in (0, 500, 999):
        bad = "déjà vu\n".encode("latin-1")
        Path("r.txt").write_bytes(b"".join([*rows[:at], bad, *rows[at + 1 :]]))
        said = cli(0, "predict", model(), "r.txt")[1].splitlines()
        assert said[0] == f"r.txt:{at + 1}: not UTF-8 (byte 0xe9)"
        assert said[-1] == (
            "r.txt: 1 row is not UTF-8, the others are; correct such rows, do not convert the file"
        )
        said = cli(2, "predict", model(), "r.txt", "--strict")[1].splitlines()
        assert said[0].endswith(
            "(byte 0xe9); other rows are UTF-8, so correct this one, do not convert the file"
        )


@pytest.mark.parametrize("head", ["pair", "choice"])
def test_texts_that_are_cut_to_the_model_are_counted(head: str, cli: Cli) -> None:
    end = "\tyes\tno" if head == "choice" else ""
    rows = ["It rains.", "it rains " * 5000, "Nein"]
    Path("long.txt").write_text("".join(f"{row}{end}\n" for row in rows))
    said = cli(0, "predict", model(head), "long.txt", "--output", "o.jsonl")[1]
    assert said.startswith("3 rows answered, 1 too long for the model and read without their end, ")
    assert cli(0, "predict", model(head), "long.txt")[1].startswith("3 rows answered, 1 too long")
    Path("short.txt").write_text(f"It rains.{end}\n")
    assert not cli(0, "predict", model(head), "short.txt")[1]


def test_texts_that_are_cut_to_the_model_are_counted_for_vectors(cli: Cli) -> None:
    Path("long.txt").write_text("It rains.\n" + "it rains " * 5000 + "\n")
    said = cli(0, "embed", model(""), "long.txt", "--output", "o.npy")[1]
    assert "2 rows answered, 1 too long for the model and read without their end" in said


def test_a_column_whose_name_has_a_comma_stands_in_quotes(cli: Cli, tmp_path: Path) -> None:
    with (tmp_path / "r.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["a", "Title, short"], *enumerate(TEXTS)])
    cli(0, "predict", model(), "r.csv", "--columns", '"Title, short"', "--output", "o.jsonl")
    found = [json.loads(line)["label"] for line in Path("o.jsonl").read_text().splitlines()]
    assert found == [right["label"] for right in answers(model(), TEXTS)]
    assert _columns('"text=Title, short", label=2') == {"text": "Title, short", "label": 2}
    for wrong in ("text=a,", 'text="Title, short"', "text=a\r\n,b"):
        with pytest.raises(RecipesError, match="write PART=COLUMN, as text=message,label=3"):
            _columns(wrong)


def test_predict_reads_lines_from_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["Who?\tAnna.\n", "Where?\tIn Bonn.\n"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("".join(lines).encode())))
    out, err = cli(0, "predict", model())
    found = [json.loads(line) for line in out.splitlines()]
    assert [(row["first"], row["second"]) for row in found] == [
        ("Who?", "Anna."), ("Where?", "In Bonn.")
    ]  # fmt: skip
    assert [row["label"] for row in found] == [row["label"] for row in answers(model(), lines)]
    assert err == ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert cli(0, "predict", model()) == ("", "")


@pytest.mark.parametrize("head", ["tagging", "span", "choice"])
def test_predict_writes_the_answers_of_every_head(head: str, cli: Cli) -> None:
    line = {"tagging": "Anna lives here", "span": "Who?\tAnna is here.", "choice": "a b\tc\td e"}
    Path("r.txt").write_text(line[head] + "\n")
    directory = model(head, **({"labels": None} if head == "span" else {}))
    (right,) = answers(directory, [line[head]])
    cli(0, "predict", directory, "r.txt", "-o", "o.csv")
    (row,) = csv.DictReader(io.StringIO(Path("o.csv").read_text()))
    if head == "tagging":
        assert row == {"words": "Anna lives here", "tags": " ".join(right["tags"])}
    elif head == "span":
        assert row == {"question": "Who?", "context": "Anna is here.", "answer": right["answer"]}
    else:
        assert row["choices"] == '["c", "d e"]' and row["choice"] == str(right["choice"])
        assert float(row["score"]) == pytest.approx(max(right["scores"]), abs=2e-6)


@pytest.mark.slow
def test_embed_pools_as_the_checkpoint_declares(cli: Cli, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    shutil.copytree(model("encoder"), encoder)
    Path("r.txt").write_text("\n".join(TEXTS) + "\n")

    def vectors(*options: str, width: int = 32) -> np.ndarray:
        cli(0, "embed", str(encoder), "r.txt", "-o", "v.npy", *options)
        found: np.ndarray = np.load("v.npy")
        Path("v.npy").unlink()
        assert found.shape == (3, width)
        assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
        return found

    plain = vectors()
    assert plain == pytest.approx(right_vectors(encoder, TEXTS), abs=1e-5)
    with_prefix = vectors("--prefix", "query: ")
    assert with_prefix == pytest.approx(
        right_vectors(encoder, [f"query: {text}" for text in TEXTS]), abs=1e-5
    )
    assert not np.allclose(plain, with_prefix, atol=1e-3)
    (encoder / "1_Pooling").mkdir()
    pooling = encoder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": 0}))
    prompts = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    (encoder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    first = right_vectors(encoder, [f"query: {text}" for text in TEXTS], cls=True)
    assert vectors() == pytest.approx(first, abs=1e-5)
    copy_tokenizer(encoder, tmp_path / "copy")  # as every stage that writes a checkpoint does
    assert declared_by(tmp_path / "copy") == SentenceModel(
        "cls", "query: ", prompts={"query": "query: "}, declared=True
    )
    short = right_vectors(encoder, [f"query: {text}" for text in TEXTS], cls=True)[:, :8]
    lengths = np.linalg.norm(short, axis=1, keepdims=True)
    cut = vectors("--dimensions", "8", "--prompt", "query", width=8)
    assert cut == pytest.approx(short / lengths, abs=1e-5)
    both = ("embed", str(encoder), "r.txt", "--prompt", "query", "--prefix", "x")
    assert cli(2, *both)[1].startswith("error: --prefix and --prompt both say what is put before")
    pooling.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    assert "its pooling is pooling_mode_max_tokens; supported: mean, cls" in cli(
        2, "embed", str(encoder), "r.txt", "-o", "v.npy"
    )[1]  # fmt: skip
    pooling.unlink()
    (encoder / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    assert "go through a Dense module, which is not supported" in cli(
        2, "embed", str(encoder), "r.txt", "-o", "v.npy"
    )[1]  # fmt: skip


def right_vectors(directory: Path, texts: list[str], *, cls: bool = False) -> np.ndarray:
    """As transformers computes them, one text at a time."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
    encoder = AutoModel.from_pretrained(directory, trust_remote_code=False).eval()
    found = []
    for text in texts:
        inputs = tokenizer(text, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        with torch.no_grad():
            hidden = encoder(**inputs).last_hidden_state[0]
        vector = (hidden[0] if cls else hidden.mean(0)).numpy()
        found.append(vector / np.linalg.norm(vector))
    return np.stack(found)


def test_mistakes_on_the_command_line_are_one_message(cli: Cli) -> None:
    Path("r.csv").write_text("text\na\n")
    assert cli(2, "predict", model(), "r.csv", "--from", "cvs")[1] == (
        "error: --from: no form 'cvs'; did you mean 'csv'?\n"
        "allowed: lines, csv, tsv, jsonl, parquet\n"
    )
    assert "has no task head; predict needs a tuned model" in cli(
        2, "predict", model("encoder"), "r.csv"
    )[1]  # fmt: skip
    assert cli(2, "predict", model(), "absent.txt")[1].startswith(
        "error: absent.txt cannot be read: "
    )


def test_the_last_of_few_bad_rows_and_one_line_per_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(row_progress.time, "monotonic", lambda: clock[0])
    with RowProgress(Path("o.csv")) as progress:
        for line in range(1, 40):
            progress.bad("r.csv", BadRow(line, "empty"))
        progress.update(1000, 1000, 0.1)  # read again
        for seconds, rows in ((30, 4000), (61, 7000), (90, 10_000), (122, 13_000)):
            clock[0] = seconds
            progress.update(rows, 1000, rows / 20_000)
        progress.finish(Done(rows=13_000, bad=39, cut=7, answered={"fast": 9000, "good": 3000}))
    lines = capsys.readouterr().err.splitlines()
    assert lines[19:21] == [
        "r.csv:20: empty", "further bad rows are listed in o.csv.bad.jsonl when it is done"
    ]  # fmt: skip
    assert lines[21] == "going on after 1,000 rows of an earlier run"
    assert lines[22] == "7,000 rows, 98 rows/s, 35% read, about 2m 39s left"
    assert lines[23].startswith("13,000 rows, 98 rows/s, 65% read, about ")
    assert lines[24:] == [
        "12,961 rows answered, 39 bad row(s) left out (see o.csv.bad.jsonl), "
        "7 too long for a model of the cascade, which reads them without their end, "
        "in this run answered by fast 9,000 (75.0%), good 3,000 (25.0%), 98 rows/s"
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "\ninterrupted\n"),
        (
            ("-o", "o.jsonl"),
            "\ninterrupted; run the same command again to go on where it stopped\n",
        ),
    ],
)
def test_only_a_file_can_be_gone_on_with(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], said: str
) -> None:
    def interrupt(*_: Any) -> Done:
        raise KeyboardInterrupt

    Path("in.txt").write_text("Es regnet.\n")
    monkeypatch.setattr("evalsuite.bulk.run_model.predict_file", interrupt)
    assert cli(130, "predict", model(), "in.txt", *more)[1] == said
