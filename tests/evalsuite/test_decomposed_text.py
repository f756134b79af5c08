"""Answers in text whose letters are decomposed: a letter and its accents are not torn apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import small
from quick import distillation, options
from small_tokenizer import TOKENIZER

from compress.distill.distill import distill
from evalsuite import tokenization
from evalsuite.data.embedded import generate as embedded
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import span
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.task import SPAN_ENDS, Answer, DataSource, SpanExample
from transfer.supervised.train_tasks import train_tasks

XQUAD = TASKS.get("xquad")
SENTENCES = {
    "fr": "Zoé vit à Orléans, près du café",
    "vi": "tiếng Việt rất hay ở Huế",
    "ko": "서울은 대한민국의 수도이다",
    "el": "Η Αθήνα είναι πόλη",
    "hi": "दिल्ली में हिन्दी बोलते हैं",
}


def row(context: str, answer: str, id: str = "0") -> SpanExample:
    return SpanExample(id, "où ?", context, (Answer(answer, context.index(answer)),))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("language", SENTENCES)
def test_every_word_comes_back_whole(language: str, form: Any) -> None:
    """As the answer of a model that knows its first and last token."""
    tokenizer = tokenization.load(TOKENIZER)
    context = unicodedata.normalize(form, SENTENCES[language])
    for word in context.replace(",", "").split():
        example = row(context, word)
        (window,) = span.encode(tokenizer, [example], 64)
        ends = span.target(example, window)
        assert ends is not None, word
        logits = np.zeros((len(window.ids), 2), dtype=np.float32)
        logits[ends[0], 0] = logits[ends[1], 1] = 9
        assert span.decode(SPAN_ENDS, [example], [window], [logits]) == [word]


def test_the_answer_of_the_report_is_not_cut() -> None:
    context = unicodedata.normalize("NFD", "Zoé vit à Orlé, près du café")
    (window,) = span.encode(tokenization.load(TOKENIZER), [row(context, "vit")], 64)
    last = next(t for t, (a, b) in enumerate(window.spans) if context[a:b].startswith("le"))
    assert context[window.spans[last][0] : window.spans[last][1]] == "le\u0301"


def test_marks_that_are_tokens_stay_with_their_tokens() -> None:
    """An end between a consonant and its vowel sign is the model's, and no cut."""
    text = "हिन्दी"
    apart = [(number, number + 1) for number in range(len(text))]
    assert span.whole_letters(text, apart) == apart
    assert span.whole_letters("cafe\u0301\u0302!", [(0, 4), (6, 7)]) == [(0, 6), (6, 7)]
    assert span.whole_letters("e\u0301", [(0, 0), (0, 1)]) == [(0, 0), (0, 2)]


@pytest.mark.parametrize("language", ["de", "ru", "es", "hi", "ar", "zh", "vi"])
def test_composed_text_has_the_tokenizers_own_offsets(language: str) -> None:
    tokenizer = tokenization.load(TOKENIZER)
    for example in embedded.qa("test", language)[:40]:
        offsets = tokenizer.encode(example.context, add_special_tokens=False).offsets
        context = example.context
        for own, whole in zip(offsets, span.whole_letters(context, offsets), strict=True):
            assert own == whole or unicodedata.category(context[own[1]]).startswith("M")


ROWS = [
    row(unicodedata.normalize("NFD", "Zoé vit à Orlé, près du café"), answer, str(number))
    for number, answer in enumerate(
        unicodedata.normalize("NFD", word) for word in ("Zoé", "Orlé", "café", "vit", "près", "du")
    )
]
LOST = row("Zoé\u00a0vit ici", "\u00a0vit", "lost")  # no token begins with the space


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> DataSource:
    """A source whose questions are six that tokens reach and one that they do not."""

    def load(task: Any, source: Any, split: Any, language: str) -> Sequence[SpanExample]:
        return [*ROWS, LOST]

    monkeypatch.setattr(type(XQUAD), "load", load)
    return DataSource("embedded")


def test_answers_that_no_token_reaches_are_counted(asked: DataSource, tmp_path: Path) -> None:
    model = small(tmp_path / "model", "span", SPAN_ENDS)
    result = evaluate(
        open_model(model), XQUAD, asked, label="m", out=tmp_path / "said",
        options=EvaluationOptions(languages=("de",)),
    )  # fmt: skip
    assert result.unreached == {"de": 1} and result.examples == {"de": 7}
    encoded = span.encode(tokenization.load(TOKENIZER), ROWS, 64)
    assert span.unreached(ROWS, encoded, first_alone=False) == 0


@pytest.mark.slow
def test_training_and_distilling_report_them(asked: DataSource, tmp_path: Path) -> None:
    model = small(tmp_path / "model", "span", SPAN_ENDS)
    quick = options(method="full", method_options={}, max_steps=1)
    trained = train_tasks(model, [XQUAD], asked, quick, work=tmp_path / "w", out=tmp_path / "o")
    assert trained.summary["answers no token reaches"] == 1
    asked_for = distillation(layers=None, max_steps=1)
    _, facts = distill(model, [XQUAD], asked, asked_for, work=tmp_path / "w2", out=tmp_path / "o2")
    assert facts["answers no token reaches"] == 1
