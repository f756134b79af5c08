"""Heads that do not give one label per row: scores, several labels, labels without names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import NLI, small
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DistilBertConfig

from evalsuite.agreement import outputs
from evalsuite.agreement.equal_answers import same_answer, tolerance
from evalsuite.bench import flops
from evalsuite.errors import MalformedRowError, ModelError
from evalsuite.evaluate import evaluate
from evalsuite.inference.checkpoint_config import answers_of, labels_of, model_config
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import sample
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import architecture
from evalsuite.task import DataSource

PAIRS = [("A man sleeps.", "Nobody is awake."), ("Zwei Hunde laufen.", "Tiere bewegen sich.")]
SEVERAL = "multi_label_classification"
HEADS: dict[str, dict[str, Any]] = {
    "score": {"labels": ("relevance",)},
    "unnamed score": {"labels": None, "num_labels": 1},
    "several scores": {"labels": ("valence", "arousal"), "problem_type": "regression"},
    "labels": {"labels": ("toxic", "obscene", "insult"), "problem_type": SEVERAL},
    "two labels": {"labels": None, "num_labels": 2},
}


def logits(model: Path) -> np.ndarray:
    """What plain transformers computes."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    opened = AutoModelForSequenceClassification.from_pretrained(model).eval()
    with torch.inference_mode():
        rows = [opened(**tokenizer(*pair, return_tensors="pt")).logits[0] for pair in PAIRS]
    return torch.stack(rows).numpy()


def answer(head: str, row: np.ndarray) -> dict[str, Any]:
    """What the logits of a row mean, written out."""
    if head in ("score", "unnamed score"):
        return {"score": pytest.approx(float(row[0]), abs=1e-5)}
    if head == "several scores":
        shown = dict(zip(("valence", "arousal"), row, strict=True))
        return {"scores": pytest.approx(shown, abs=1e-5)}
    if head == "labels":
        names = ("toxic", "obscene", "insult")
        shares = dict(zip(names, 1 / (1 + np.exp(-row)), strict=True))
        said = [name for name in names if shares[name] >= 0.5]
        return {"labels": said, "scores": pytest.approx(shares, abs=1e-5)}
    shares = np.exp(row) / np.exp(row).sum()
    named = {f"LABEL_{number}": share for number, share in enumerate(shares)}
    return {"label": max(named, key=lambda name: named[name]),
            "scores": pytest.approx(named, abs=1e-5)}  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_predictions_are_what_the_head_means(head: str, tmp_path: Path) -> None:
    model = small(tmp_path / "model", **HEADS[head])
    said = list(predict_lines(model, ["\t".join(pair) for pair in PAIRS]))
    assert said == [answer(head, row) for row in logits(model)]


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_a_changed_model_does_not_agree(head: str, tmp_path: Path) -> None:
    """With a new last layer nothing agrees but by chance; one logit used to agree always."""
    model = small(tmp_path / "model", **HEADS[head])
    other = small(tmp_path / "other", **HEADS[head])
    weights = load_file(other / "model.safetensors")
    name = "classifier.out_proj.weight"
    weights[name] = -weights[name]
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    session = Session(open_model(model))
    text = sample(session.tokenizer, 64, TASKS.get("xnli"), DataSource("embedded"), 8)
    assert outputs.compare(session, open_model(model), text).agreement == 100
    parity = outputs.compare(session, open_model(other), text)
    assert parity.agreement < 60
    assert parity.counted == {"labels": "sets of labels", "two labels": "labels"}.get(
        head, "scores (within 0.1 standard deviations)"
    )


def test_equal_answers_by_the_written_rules() -> None:
    scores = [np.array([x]) for x in (0.0, 1.0, 2.0, 3.0)]  # deviation: sqrt(1.25)
    near = tolerance(scores)
    assert near == pytest.approx([0.1 * 1.25**0.5])
    assert same_answer("score", scores[0], scores[0] + 0.111, near)
    assert not same_answer("score", scores[0], scores[0] + 0.112, near)
    assert not same_answer("labels", np.array([1.0, 1.0]), np.array([2.0, -0.1]))
    assert same_answer("labels", np.array([1.0, 0.0]), np.array([0.5, 2.0]))
    assert tolerance([np.array([4.0])] * 2) == pytest.approx([4e-5])  # one score for every row


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"labels": ("relevance",)}, "m predicts a score and not one label per row; xnli needs"),
        ({"problem_type": SEVERAL}, "m predicts each of its labels by itself and not one"),
    ],
)
def test_a_task_of_one_label_is_not_scored_by_another_head(
    more: dict[str, Any], says: str, tmp_path: Path
) -> None:
    model = open_model(small(tmp_path / "model", **more))
    with pytest.raises(ModelError, match=says):
        evaluate(model, TASKS.get("xnli"), DataSource("embedded"), label="m", out=tmp_path)


def test_a_config_is_read_as_transformers_reads_it(tmp_path: Path) -> None:
    from transformers import DistilBertForSequenceClassification

    config = DistilBertConfig(vocab_size=90, dim=24, n_layers=3, n_heads=2, hidden_dim=40)
    DistilBertForSequenceClassification(config).save_pretrained(tmp_path)
    known = model_config(tmp_path)
    assert architecture(known) == "distilbert 3x24"
    assert labels_of(known) == ("LABEL_0", "LABEL_1") and answers_of(known) == "label"
    assert flops.of_directory(tmp_path).feedforward == 40
    assert answers_of(model_config(small(tmp_path / "nli"))) == "label"
    assert labels_of(model_config(tmp_path / "nli")) == NLI


def test_lines_of_one_sentence_or_of_two(tiny_nli: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_nli, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(tiny_nli, trust_remote_code=False)
    lines = ["It rains.", "Nobody is here."]
    inputs = tokenizer(lines, return_tensors="pt", padding=True)
    inputs.pop("token_type_ids", None)
    right = model(**inputs).logits.softmax(-1).tolist()
    for answer, shares in zip(predict_lines(tiny_nli, lines), right, strict=True):
        assert list(answer["scores"].values()) == pytest.approx(shares, abs=1e-5)
    for second, problem in (
        ("a\tb", r"input:2: 2 column\(s\), and the first usable line has 1"),
        ("a\tb\tc", r"input:2: 3 columns; this model takes one sentence or two"),
    ):
        with pytest.raises(MalformedRowError, match=problem):
            list(predict_lines(tiny_nli, ["a", second]))


def test_a_window_inside_a_long_word_has_no_answer_to_compare() -> None:
    def counted(words: list[int]) -> tuple[float, float]:
        item = Encoded(0, [0, 5, 6, 2], words)
        return outputs._agreement(item, np.eye(4), np.eye(4), "label")

    assert counted([-1, 0, -1, -1]) == (1, 1)
    assert counted([-1, -1, -1, -1]) == (0, 0)
    assert counted([]) == (4, 4)  # not encoded as words
