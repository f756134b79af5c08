"""How vocabularies split words: counts, the stage, the report's section."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from evalsuite.fertility import count
from evalsuite.report.output.page import write
from evalsuite.report.tables.fertility import fertility_table
from evalsuite.results.fertility import Fertility, FertilityResult
from evalsuite.results.run import RunRecord
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, Input, StageContext
from recipes.stages.fertility import Config, check, run


def tokenizer() -> Tokenizer:
    pieces = [("<unk>", 0.0), ("▁kari", -1.0), ("bu", -1.0), ("▁tena", -1.0), ("▁", -5.0)]
    built = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    built.pre_tokenizer = pre_tokenizers.Metaspace()
    return built


def test_counts() -> None:
    found = count(tokenizer(), [("karibu", "tena"), ("tena", "qux")])
    assert (found.words, found.unknown) == (4, 1)
    assert found.subwords == 2 + 1 + 1 + 2 and found.split == 2  # "▁" and the unknown of "qux"
    assert found.subwords_a_word == 1.5
    assert count(tokenizer(), []).subwords_a_word == 0


def result(label: str, **languages: tuple[int, int, int, int]) -> FertilityResult:
    names = ("words", "subwords", "split", "unknown")
    counts = {
        code: Fertility(**dict(zip(names, row, strict=True))) for code, row in languages.items()
    }
    return FertilityResult(
        label=label,
        tokenizer_digest="t" + "".join(languages),
        text="udpos test",
        source="embedded",
        data_digest="d",
        languages=counts,
    )


def test_models_of_one_vocabulary_share_their_columns() -> None:
    same = {"de": (10, 15, 4, 0), "sw": (10, 25, 8, 1)}
    table = fertility_table(
        [result("teacher", **same), result("int8", **same), result("other", de=(10, 11, 1, 0))]
    )
    assert [column.sub for column in table.columns] == ["teacher, int8", "", "", "other", "", ""]
    rows = {row.head.text: [cell.text for cell in row.cells] for row in table.rows}
    assert rows["German"] == ["1.50", "40.0", "0.0", "1.10", "10.0", "0.0"]
    assert rows["Swahili"] == ["2.50", "80.0", "10.0", "–", "–", "–"]
    assert rows["mean"] == ["2.00", "60.0", "5.0", "1.10", "10.0", "0.0"]
    assert fertility_table([]).rows == ()


def test_the_stage_counts_and_the_report_shows_it(tiny_base: Path, tmp_path: Path) -> None:

    def checked(**fields: Any) -> Artifact:
        config = Config(name="w", stage="fertility", models=("base",), **fields)
        return check(config, {"models": [Artifact("checkpoint")]})

    assert checked().kind == "fertility"
    with pytest.raises(StageInputError, match="xnli has no words; give udpos or panx"):
        checked(task="xnli")
    out = tmp_path / "out"
    out.mkdir()
    context = StageContext(
        out=out,
        work=tmp_path,
        inputs={"models": (Input("base", tiny_base, Artifact("checkpoint")),)},
        data=DataSource("embedded"),
        seed=1,
        recipe="r",
    )
    config = Config(name="w", stage="fertility", models=("base",), max_examples=50)
    summary = run(config, context)
    found = FertilityResult.model_validate_json((out / "00.json").read_text())
    assert summary["base subwords a word"] > 1
    assert found.text == "udpos test, first 50 sentences" and len(found.tokenizer_digest) == 64
    # Its vocabulary was made of German, Russian and Swahili text.
    assert found.languages["de"].subwords_a_word < found.languages["hi"].subwords_a_word
    record = RunRecord(
        recipe="r",
        description="",
        source="embedded",
        seed=1,
        stages=(),
        scores=(),
        speeds=(),
        fertility=(found,),
    )
    page = write(record, tmp_path / "report").read_text(encoding="utf-8")
    assert "How the vocabulary splits words" in page and "Swahili" in page
    assert "| Swahili" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
