"""The encoder that ships: small, open by plain transformers, and really multilingual."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from evalsuite import tokenization
from evalsuite.errors import ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.execution.find_outputs import find_model
from recipes.planning.external_models import External

MINI = External.find("package:recipes/models/e5-mini").path


def test_its_weights_are_at_most_sixty_megabytes() -> None:
    assert (MINI / "model.safetensors").stat().st_size <= 60_000_000
    assert sum(path.stat().st_size for path in MINI.rglob("*.*")) <= 65_000_000


def test_plain_transformers_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model, report = AutoModel.from_pretrained(MINI, output_loading_info=True)
    assert type(model).__name__ == "ElectraModel" and not report["missing_keys"]
    tokenizer = AutoTokenizer.from_pretrained(MINI)
    ours = tokenization.load(MINI)
    for text in ("Das Haus ist ROT.", "这座房子是红色的。", "घर लाल है।", "الغرفة كبيرة."):
        ids = tokenizer(text)["input_ids"]
        assert ids == ours.encode(text).ids and tokenizer.unk_token_id not in ids
        with torch.no_grad():
            hidden = model.float()(input_ids=torch.tensor([ids])).last_hidden_state
        assert hidden.shape == (1, len(ids), 384) and bool(hidden.isfinite().all())


def test_commands_open_it_by_its_package() -> None:
    assert find_model("package:recipes/models/e5-mini", None) == MINI
    with pytest.raises(ModelError, match="there is no installed package 'nowhere'"):
        find_model("package:nowhere/models/e5-mini", None)


def test_it_is_computed_in_fp32_on_a_processor() -> None:
    assert open_model(MINI).describe("mini").precision == "fp32"


def test_its_card_says_where_it_comes_from() -> None:
    card = (MINI / "README.md").read_text(encoding="utf-8")
    for said in ("license:", "multilingual-e5-small", "MIT", "Tatoeba", "Limits"):
        assert said in card


@pytest.mark.slow
def test_it_finds_translations_of_template_sentences(tmp_path: Path) -> None:
    """Text it has never seen, in twelve languages, no fine-tuning."""
    predictor = open_model(MINI)
    source = DataSource("embedded")
    found = evaluate(
        predictor,
        TASKS.get("tatoeba"),
        source,
        label="mini",
        out=tmp_path,
        options=EvaluationOptions(layer=-1, max_examples=40),
    )
    zero_shot = found.zero_shot()
    assert zero_shot is not None and zero_shot > 85  # it finds 98.0


@pytest.mark.data
@pytest.mark.slow
def test_it_finds_translations_of_real_sentences(xtreme_dir: Path, tmp_path: Path) -> None:
    predictor = open_model(MINI)
    found = evaluate(
        predictor,
        TASKS.get("tatoeba"),
        DataSource("xtreme", xtreme_dir),
        label="mini",
        out=tmp_path,
        options=EvaluationOptions(
            layer=-1, languages=("af", "de", "hi", "ja", "sw", "tr"), max_examples=120
        ),
    )
    zero_shot = found.zero_shot()
    assert zero_shot is not None and zero_shot > 80  # it finds 91.9
