"""The C++ example of docs/native: the answers of this toolkit, and no Python.

Built where there are a compiler, CMake, ICU, nlohmann-json (or NATIVE_JSON names its folder) and
the headers of ONNX Runtime: ONNXRUNTIME_DIR names a folder with include/ and lib/.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graph_bundles import table_bundle
from small_tokenizer import TOKENIZER

import lingopress
from evalsuite import tokenization

SOURCE = Path(__file__).resolve().parents[2] / "docs" / "native"
LABELS = ("rain", "sun", "snow")
TEXTS = [
    "It rains.",
    "Der Hund schläft, die Katze „Mia“ auch – seit ÉTÉ 1998.",
    "雨が降っています。ﾃｽﾄ①",
    "Дождь идёт,\tи   снова дождь!",
    "बारिश हो रही है।",
    "الجو ماطر اليوم",
    "ฝนกำลังตก",
    "한국어 문장입니다",
    "Οδυσσεύς ΣΊΣΥΦΟΣ",
    "İstanbul'da YAĞMUR",
    "Cafe\u0301 \u200b soft\u00adhyphen \U0001f327\ufe0f",
    "",
    "  ",
    "a <mask> b",
    "<s> 𝒳𝓎 \ufffd ☃☃☃",
    "wort " * 90,
]
SPACES = "".join(f"{c}a{c}{c}b" for c in map(chr, range(0x3100)) if c.isspace())
PAIRS = [["It rains.", "wort " * 90], ["eins " * 90, "zwei " * 80], ["", "Es regnet."]]
RUNTIME = os.environ.get("ONNXRUNTIME_DIR")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        RUNTIME is None or shutil.which("cmake") is None,
        reason="no CMake, or ONNXRUNTIME_DIR names no folder with ONNX Runtime's headers",
    ),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tmp_path_factory.mktemp("native")
    options = [f"-DONNXRUNTIME_DIR={RUNTIME}", f"-DJSON_DIR={os.environ.get('NATIVE_JSON', '')}"]
    for command in (
        ["cmake", "-S", SOURCE, "-B", build, *options, "-DCMAKE_BUILD_TYPE=Debug"],
        ["cmake", "--build", build],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning:" not in done.stderr
    return build / "bundle"


def ask(program: Path, bundle: Path, rows: list[Any], *more: str) -> list[Any]:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run(
        [program, bundle, *more], input=lines, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_classifier_a_tagger_and_an_encoder_answer_as_in_python(
    program: Path, tmp_path: Path
) -> None:
    found = table_bundle(tmp_path / "pair", "pair", LABELS)
    rows: list[Any] = [*TEXTS, *PAIRS]
    right = lingopress.open(found).predict([tuple(r) if isinstance(r, list) else r for r in rows])
    for row, answer, expected in zip(rows, ask(program, found, rows), right, strict=True):
        assert answer["label"] == expected["label"], row
        assert answer["scores"] == pytest.approx(expected["scores"], abs=1e-5), row

    found = table_bundle(tmp_path / "tagging", "tagging", LABELS)
    texts = [*TEXTS, "Es regnet\u3000und schneit\u00a0heute.", SPACES, "a\u200bb\ufeffc\u0301 d"]
    expected = [row["tags"] for row in lingopress.open(found).predict(texts)]
    assert [row["tags"] for row in ask(program, found, texts)] == expected
    assert [row["tags"] for row in ask(program, found, [t.split() for t in texts])] == expected

    found = table_bundle(tmp_path / "encoder", None)
    vectors = lingopress.open(found).embed(TEXTS)
    assert np.array(ask(program, found, TEXTS)) == pytest.approx(vectors, abs=1e-5)


def test_a_model_and_a_tokenizer_that_are_not_run_are_named(program: Path, tmp_path: Path) -> None:
    found = table_bundle(tmp_path / "b", "span", ("start", "end"))
    done = subprocess.run([program, found], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "runs no XLMRobertaForQuestionAnswering" in done.stderr
    path = found / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"Lowercase"', '"Nmt"'), "utf-8")
    done = subprocess.run([program, found], capture_output=True, text=True, check=False)
    assert "the normalizer Nmt is not supported" in done.stderr


@pytest.mark.data
def test_ids_of_real_text_are_those_of_the_tokenizers_package(
    program: Path, tmp_path: Path, xtreme_dir: Path
) -> None:
    found = table_bundle(tmp_path / "b", None)
    rows = [
        line
        for path in sorted((xtreme_dir / "udpos").glob("test-*.tsv"))
        for line in sentences(path, 20)
    ]
    tokenizer = tokenization.load(TOKENIZER)
    tokenizer.enable_truncation(64)
    right = [encoding.ids for encoding in tokenizer.encode_batch(rows)]
    assert len(rows) > 100 and ask(program, found, rows, "--ids") == right


def sentences(path: Path, count: int) -> list[str]:
    """The first sentences of a file of tags."""
    text = path.read_text(encoding="utf-8").strip()
    return [
        " ".join(line.split("\t")[0] for line in sentence.splitlines())
        for sentence in text.split("\n\n")[:count]
    ]
