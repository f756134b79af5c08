"""Answers to choose from: sequences, what is read, trained, distilled, exported and scored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from heads import bundle_card
from quick import distillation, options
from safetensors.torch import load_file
from transformers import AutoModelForMultipleChoice, AutoTokenizer

from compress.distill.distill import distill
from compress.distill.student import cut
from compress.export.export import export
from compress.export.registry import EXPORTERS
from compress.fuse.fuse import fuse
from evalsuite import scoring, tokenization
from evalsuite.agreement import outputs
from evalsuite.data.embedded import generate as embedded
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import choice
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.submission import files
from evalsuite.task import ChoiceExample, DataSource
from evalsuite.tasks.xcopa import ASKED
from transfer.encoded_rows.encoded import Encoder
from transfer.encoded_rows.formats.choice import Choices
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Settings
from transfer.models.checkpoints import copy_tokenizer
from transfer.supervised.train_tasks import train_tasks
from transfer.text.augment import switched

EMBEDDED = DataSource("embedded")
XCOPA = TASKS.get("xcopa")


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_embedded_causes(split: Any) -> None:
    english = embedded.causes(split, "en")
    for row in english:
        assert row.context not in row.choices and row.choices[0] != row.choices[1]
        assert row.question in ASKED
    for answer in ("cause", "effect"):
        asked = [row for row in english if row.question == answer]
        assert 0.4 < len(asked) / len(english) < 0.6
        assert 0.4 < sum(row.label or 0 for row in asked) / len(asked) < 0.6
    # Where both neighbours of what is said are the choices, what is asked decides.
    both = [r for r in english if all("flowers" in said for said in (r.context, *r.choices))]
    assert {row.question for row in both} == set(ASKED) if split == "train" else True
    for row in both:
        assert row.label is not None
        assert {"cause": "sells", "effect": "draws"}[row.question] in row.choices[row.label]
    swahili = embedded.causes(split, "sw")
    assert [row.label for row in swahili] == [row.label for row in english]
    assert all(a.context != b.context for a, b in zip(swahili, english, strict=True))


def test_rows_are_in_one_split_only() -> None:
    seen = [{row.context for row in embedded.causes(s, "en")} for s in ("train", "dev", "test")]  # type: ignore[arg-type]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_a_choice_is_a_sequence_and_the_context_is_cut_first(tiny_base: Path) -> None:
    tokenizer = tokenization.load(tiny_base)
    row = ChoiceExample("1", "Maria reads poems. " * 40, ASKED["cause"], ("Anna eats.", "No."), 0)
    whole = choice.encode(tokenizer, [row], 2000)
    short = choice.encode(tokenizer, [row], 40)
    assert [e.example for e in whole] == [0, 0]
    plain = tokenizer.encode(f"{row.context} {row.question}", "Anna eats.").ids
    assert whole[0].ids == plain
    end = [2, *tokenizer.encode("Anna eats.", add_special_tokens=False).ids, 2]
    asked = tokenizer.encode(row.question, add_special_tokens=False).ids
    assert short[0].ids == [*plain[: 40 - len(asked) - len(end) - 1], *asked, 2, *end]
    long = ChoiceExample("1", "Maria.", "", (row.context, row.context), 0)
    assert [len(e.ids) for e in choice.encode(tokenizer, [long], 40)] == [40, 40]
    assert choice.encode(tokenizer, [long], 40)[0].ids[1] == plain[1]


def test_the_highest_score_is_chosen_and_guessing_is_one_in_two() -> None:
    rows = [ChoiceExample(str(n), "a", "", ("b", "c"), label) for n, label in enumerate((1, 0, 0))]
    encoded = [choice.Encoded(n // 2, [0]) for n in range(6)]
    logits = [np.array([value]) for value in (0.1, 0.2, 0.5, 0.4, 7.0, 7.5)]
    found = choice.decode(XCOPA.labels, rows, encoded, logits)
    assert found == [1, 0, 1]
    answers = scoring.answers(XCOPA, "en", rows, found)
    assert scoring.main_score(answers) == pytest.approx(200 / 3)
    assert scoring.chance(answers) == pytest.approx(200 / 3)


def test_words_of_a_row_are_translated() -> None:
    class Always:
        def random(self) -> float:
            return 0.0

    row = ChoiceExample("1", "The cat sees.", "Why?", ("Cat!", "no"), 1)
    assert switched(row, {"cat": "katze"}, True, Always()) == ChoiceExample(  # type: ignore[arg-type]
        "1", "The katze sees.", "Why?", ("Katze!", "no"), 1
    )


def test_training_rows(tiny_base: Path) -> None:
    rows: Any = load_rows(XCOPA, EMBEDDED, tiny_base, 64, max_examples=5)
    batch = rows.collate(Batch(0, (0, 3, 1), 1))
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    assert batch["input_ids"].shape[:2] == (3, 2)
    gold = [embedded.causes("train", "en")[n].label for n in (0, 3, 1)]
    assert batch["labels"].tolist() == gold
    second = rows.ids[3][1]
    assert batch["input_ids"][1, 1, : len(second)].tolist() == second
    uneven = [ChoiceExample("1", "a", "", ("b",) * n, 0) for n in (2, 3)]
    with pytest.raises(DataError, match="some rows have 2 choices and others 3"):
        Choices(XCOPA, uneven, Encoder(tokenization.load(tiny_base), 1, 32))


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of choices, trained until it knows something.

    Few rows seen often teach it more than many rows: 80% of other rows are right afterwards.
    """
    here = tmp_path_factory.mktemp("choices")
    quick = options(
        method="full",
        max_steps=250,
        epochs=10,
        max_length=64,
        max_examples=400,
        batch_size=16,
        settings=Settings(1e-3, seed=1, compute="fp32"),
    )
    train_tasks(tiny_base, [XCOPA], EMBEDDED, quick, work=here / "work", out=here / "out")
    return here / "out"


def test_plain_transformers_gives_the_same_scores(trained: Path) -> None:
    row = embedded.causes("test", "en")[0]
    model = AutoModelForMultipleChoice.from_pretrained(trained).eval()
    pairs = [(f"{row.context} {row.question}", said) for said in row.choices]
    read = AutoTokenizer.from_pretrained(trained)(
        [a for a, _ in pairs], [b for _, b in pairs], padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        wanted = model(**{name: value[None] for name, value in read.items()}).logits[0]
    session = Session(open_model(trained))
    found = session.run(session.encode("choice", [row]), "logits")
    assert np.concatenate(found) == pytest.approx(wanted.numpy(), abs=1e-5)


def test_a_model_of_choices_is_scored_and_exported(trained: Path, tmp_path: Path) -> None:
    model = open_model(trained)
    assert model.labels == ("choice",)
    result, _ = export(
        trained, tmp_path / "bundle", precision="fp32", probe=Probe(XCOPA, EMBEDDED, 6)
    )
    assert result is not None and result.maximum < 1e-3
    assert result.by_language["en"] == 100  # elsewhere two choices may be the same unknown words
    results = []
    for directory in (trained, tmp_path / "bundle"):
        found = evaluate(
            open_model(directory),
            XCOPA,
            EMBEDDED,
            label="it",
            out=tmp_path / directory.name,
            options=EvaluationOptions(languages=("en", "de"), max_examples=100),
        )
        results.append(found.metrics)
        said = files.read(tmp_path / directory.name, "xcopa", "de")
        assert len(said) == 100 and set(said) <= {0, 1}
    first, second = (found["accuracy"] for found in results)
    assert first["en"] == second["en"]
    assert first["de"] == pytest.approx(second["de"], abs=3)  # two choices may read the same
    line = "The man turned on the tap.\tWater came.\tIt rained."
    (said,) = predict_lines(trained, [line])
    (other,) = predict_lines(tmp_path / "bundle", [line])
    assert said["choice"] == other["choice"] == int(np.argmax(said["scores"]))
    assert other["scores"] == pytest.approx(said["scores"], abs=1e-4)
    with pytest.raises(MalformedRowError, match="input:1: 2 column"):
        list(predict_lines(trained, ["The tap.\tWater."]))
    script = [
        sys.executable,
        "-c",
        EXPORTERS.get("onnxruntime").example(bundle_card("choice", "int8")),
    ]
    child = subprocess.run(script, cwd=tmp_path / "bundle", capture_output=True, text=True)
    assert child.stdout.strip() == line.split("\t")[1 + said["choice"]], child.stderr


def test_training_learns_what_follows_from_what(trained: Path, tmp_path: Path) -> None:
    found = evaluate(
        open_model(trained),
        XCOPA,
        EMBEDDED,
        label="it",
        out=tmp_path,
        options=EvaluationOptions(languages=("en",), split="train", max_examples=400),
    )
    assert found.metrics["accuracy"]["en"] > 60 > found.chance["en"]


def test_agreement_is_of_rows_not_of_sequences(trained: Path) -> None:
    session = Session(open_model(trained))
    every = Probe(XCOPA, EMBEDDED, 6).sequences(session.tokenizer, 64)
    probe = {"en": every["en"]}  # elsewhere two choices may be the same unknown words

    class Opposite:
        labels, answers = session.predictor.labels, session.predictor.answers
        batching = session.predictor.batching
        max_length = session.predictor.max_length

        def __call__(self, ids: Any, mask: Any, wanted: Any) -> Any:
            return {name: -v for name, v in session.predictor(ids, mask, wanted).items()}

        def run_batches(self, batches: Any, wanted: Any) -> Any:
            return (self(ids, mask, wanted) for ids, mask in batches)

    assert outputs.compare(session, session.predictor, probe).agreement == 100
    assert outputs.compare(session, Opposite(), probe).agreement == 0  # type: ignore[arg-type]


def test_an_adapter_of_choices_is_fused_with_its_head(tiny_base: Path, tmp_path: Path) -> None:
    quick = options(max_length=64, method_options={"rank": 4, "targets": ["query", "dense"]})
    train_tasks(tiny_base, [XCOPA], EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "adapter")
    saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert {"pooler", "classifier"} <= {part for name in saved for part in name.split(".")}
    fuse(tmp_path / "adapter", XCOPA, tmp_path / "fused")
    assert open_model(tmp_path / "fused").labels == ("choice",)


def test_a_student_of_choices_comes_nearer_to_its_teacher(trained: Path, tmp_path: Path) -> None:
    terms = distillation(
        hidden=0.1,
        labels=0.1,
        multilingual=0.3,
        epochs=2,
        max_steps=200,
        batch_size=16,
        max_examples=None,
    )
    work, out, start = tmp_path / "work", tmp_path / "out", tmp_path / "start"
    _, facts = distill(trained, [XCOPA], EMBEDDED, terms, work=work, out=out)
    assert facts["layers"] == "1 of 2" and open_model(out).labels == ("choice",)
    cut(load_checkpoint(trained), [1]).save_pretrained(start)
    copy_tokenizer(trained, start)
    session = Session(open_model(trained))
    probe = Probe(XCOPA, EMBEDDED, 30).sequences(session.tokenizer, 64)["en"]

    def distance(directory: Path) -> float:
        """Between the shares that teacher and student give the choices."""
        both = [Session(open_model(d)).run(probe, "logits") for d in (trained, directory)]
        rows = [torch.tensor(np.stack(choice.by_row(30, probe, scores))) for scores in both]
        one, other = (torch.softmax(scores, -1) for scores in rows)
        return float((one - other).abs().mean())

    assert distance(out) < 0.8 * distance(start)


def test_several_tasks_with_choices_among_them(tiny_base: Path, tmp_path: Path) -> None:
    both = [XCOPA, TASKS.get("xnli")]
    quick = options(method="full", max_steps=12, max_length=64)
    train_tasks(tiny_base, both, EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o")
    heads = load_file(tmp_path / "o" / "heads.safetensors")
    assert heads["xcopa.whole.classifier.weight"].shape == (1, 64)


@pytest.mark.data
def test_real_rows(xtreme_dir: Path) -> None:
    source = DataSource("xtreme", xtreme_dir)
    assert len(XCOPA.load(source, "train", "en")) == 400
    for language in XCOPA.available(source, "test"):
        assert len(XCOPA.load(source, "test", language)) == 500
    assert set(XCOPA.languages) - set(XCOPA.available(source, "dev")) == {"et", "th"}


def test_labels_that_are_all_the_same_are_hidden_ones(tmp_path: Path) -> None:
    """Copies of XCOPA's test files made for submissions have 0 in every row."""
    (tmp_path / "xcopa").mkdir()
    row = '{"premise": "a", "choice1": "b", "choice2": "c", "question": "cause", "label": %d}'
    for split, labels in (("val", [0] * 19 + [1]), ("test", [0] * 20)):
        text = "\n".join(row % label for label in labels)
        (tmp_path / "xcopa" / f"{split}-sw.jsonl").write_text(text + "\n")
    source = DataSource("xtreme", tmp_path)
    assert XCOPA.available(source, "dev") == ("sw",) and XCOPA.available(source, "test") == ()
    assert XCOPA.eval_split(source) == "dev"
    assert {row.label for row in XCOPA.load(source, "test", "sw")} == {None}
    assert {row.label for row in XCOPA.load(source, "dev", "sw")} == {0, 1}
