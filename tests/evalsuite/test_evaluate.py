"""Running models: batches, scoring over runtimes, prediction, measurement, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from childs import leave_with_and_wait
from hypothesis import given
from hypothesis import strategies as st

from evalsuite import tokenization
from evalsuite.agreement.outputs import _agreement
from evalsuite.bench.measure import MeasurementError, Subject, measure
from evalsuite.errors import MalformedRowError, ModelError, PickleRefusedError, UnknownNameError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import pair, tagging
from evalsuite.inference.batch_runner import run
from evalsuite.inference.batching import ON_CPU, ON_GPU, Batching, by_tokens
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import sample
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.machine.child_process import start_context
from evalsuite.registry import RUNTIMES, TASKS
from evalsuite.submission import files
from evalsuite.task import DataSource, PairExample, TagExample

EMBEDDED = DataSource("embedded")


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 200))
def test_batches_hold_everything_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = by_tokens(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_runtimes_are_their_files() -> None:
    assert RUNTIMES.names() == (
        "cascade", "executorch", "numpy", "onnxruntime", "openvino", "torch",
    )  # fmt: skip


def test_length_sorted_batches_give_what_padding_gives(tiny_nli: Path) -> None:
    predictor = open_model(tiny_nli)
    tokenizer = tokenization.load(tiny_nli)
    rows = [
        *TASKS.get("xnli").load(EMBEDDED, "test", "de")[:20],
        *TASKS.get("xnli").load(EMBEDDED, "test", "ru")[:20],
    ]
    encoded = pair.encode(tokenizer, rows, 64)
    ours = np.stack(run(predictor, encoded, "logits", 1, max_tokens=256))
    ids = np.full((len(rows), 64), 1, dtype=np.int64)
    for row, item in enumerate(encoded):
        ids[row, : len(item.ids)] = item.ids
    padded = predictor(ids, (ids != 1).astype(np.int64), ("logits",))["logits"]
    assert np.abs(ours - padded).max() < 1e-5


def test_scores_of_every_format_are_signed(
    tiny_nli: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    for directory in (tiny_nli, tiny_bundle):
        predictor = open_model(directory)
        for name in ("xnli", "tatoeba"):
            result = evaluate(
                predictor,
                TASKS.get(name),
                EMBEDDED,
                label="m",
                out=tmp_path / directory.name,
                options=EvaluationOptions(
                    languages=("en", "sw") if name == "xnli" else ("sw", "ru"),
                    max_examples=40,
                    layer=-2 if name == "tatoeba" else None,
                    seed=7,
                ),
            )
            assert result.source == "embedded" and result.split == "test"
            assert result.model.digest == model_size.digest(directory)
            assert set(result.metrics[result.main_metric]) == set(result.examples)
            assert all(0 <= v <= 100 for v in result.metrics[result.main_metric].values())
            assert (result.layer, result.pooling) == (
                (1, "mean") if name == "tatoeba" else (None, None)
            )
            if name == "xnli":
                written = files.read(tmp_path / directory.name, "xnli", "sw")
                gold = [row.label for row in TASKS.get("xnli").load(EMBEDDED, "test", "sw")[:40]]
                hits = sum(a == b for a, b in zip(written, gold, strict=True))
                assert result.metrics["accuracy"]["sw"] == pytest.approx(100 * hits / 40)


def test_no_sequence_is_longer_than_the_model_takes(tiny_nli: Path) -> None:
    session = Session(open_model(tiny_nli))
    long = "word " * 200
    (one,) = session.encode("pair", [PairExample("0", long, "short", None)])
    assert len(one.ids) == session.predictor.max_length == 64
    assert one.ids[-1] == one.ids[0] + 2  # </s>; the longer side is what was cut
    text = sample(session.tokenizer, 12, TASKS.get("tatoeba"), EMBEDDED, 5)
    assert max(len(item.ids) for items in text.values() for item in items) == 12
    assert (
        session.predict("pair", [PairExample("0", long, long, None)])[0] in TASKS.get("xnli").labels
    )


def test_a_model_without_the_tasks_labels_is_refused(tiny_nli: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="udpos needs"):
        evaluate(open_model(tiny_nli), TASKS.get("udpos"), EMBEDDED, label="m", out=tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean"):
        evaluate(
            open_model(tiny_nli),
            TASKS.get("xnli"),
            EMBEDDED,
            label="m",
            out=tmp_path,
            options=EvaluationOptions(languages=["swa"]),
        )
    with pytest.raises(ModelError, match="layers 0"):
        evaluate(
            open_model(tiny_nli),
            TASKS.get("tatoeba"),
            EMBEDDED,
            label="m",
            out=tmp_path,
            options=EvaluationOptions(layer=9),
        )


def test_long_sentences_are_tagged_to_the_last_word(tiny_base: Path) -> None:
    tokenizer = tokenization.load(tiny_base)
    words = tuple(f"word{n}" for n in range(50))
    example = TagExample("0", words, ("X",) * 50)
    windows = tagging.encode(tokenizer, [example], 20)
    assert len(windows) > 3 and all(len(w.ids) <= 20 for w in windows)
    starts = [word for window in windows for word in window.words if word >= 0]
    assert starts == list(range(50))
    outputs = [np.zeros((len(w.ids), 2)) for w in windows]
    for window, output in zip(windows, outputs, strict=True):
        for position, word in enumerate(window.words):
            output[position, word % 2] = 1.0
    (tags,) = tagging.decode(("A", "B"), [example], windows, outputs)
    assert tags == ["A", "B"] * 25


def test_a_word_the_tokenizer_drops_gets_the_outside_tag() -> None:
    example = TagExample("0", ("a", "\u200b", "b"), ("O", "O", "O"))
    window = Encoded(0, [0, 7, 8, 2], [-1, 0, 2, -1])
    (tags,) = tagging.decode(("B-PER", "O"), [example], [window], [np.eye(4, 2)])
    assert tags[1] == "O" and len(tags) == 3


def test_predict_reads_lines(tiny_nli: Path, tiny_bundle: Path) -> None:
    lines = ["A man sleeps.\tNobody sleeps.\n", "Anna reads.\tAnna reads a book.\n"]
    for directory in (tiny_nli, tiny_bundle):
        found = list(predict_lines(directory, lines))
        assert len(found) == 2
        assert abs(sum(found[0]["scores"].values()) - 1) < 1e-4
        assert found == list(predict_lines(directory, ["\ufeff" + lines[0], lines[1]]))
        each = [found for line in lines for found in predict_lines(directory, [line])]
        if directory == tiny_bundle:  # int8: the company a line comes in must not matter
            assert found == each
    with pytest.raises(MalformedRowError, match="input:2: 1 column"):
        list(predict_lines(tiny_nli, [lines[0], "only one"]))


def test_measurement_keeps_raw_samples(tiny_nli: Path, tiny_bundle: Path) -> None:
    subjects = []
    for directory in (tiny_nli, tiny_bundle):
        chosen = sample(tokenization.load(directory), 64, TASKS.get("xnli"), EMBEDDED, 2)
        ids = {code: [item.ids for item in encoded] for code, encoded in chosen.items()}
        subjects.append(
            Subject(directory, ids, directory.parent.name, "xnli", 1_000, dict.fromkeys(ids, 1))
        )
    torch_speed, onnx_speed = measure(
        subjects,
        source="embedded",
        threads=1,
        passes=2,
        latency_samples=5,
        batch_sizes=(1, 4),
        lengths=(8, 48, 4000),
        peak_sizes=(256, 512),
    )
    for speed in (torch_speed, onnx_speed):
        assert len(speed.latency_seconds) == 5 and len(speed.throughput) == 2
        assert speed.throughput[0].tokens == sum(speed.token_lengths)
        assert speed.peak_memory >= speed.baseline_memory > 0
        assert speed.does_not_fit() == "does not fit in 0.001 MB"
        assert speed.environment.threads == 1
        assert all(t > 0 for t in (*speed.load_seconds, *speed.warmup_seconds))
        assert set(speed.languages) == set(TASKS.get("xnli").available(EMBEDDED, "test"))
        assert all(own.sentences == 2 and len(own.seconds) == 5 for own in speed.languages.values())
        assert all(own.rows == 1 for own in speed.languages.values())
        assert speed.rows == len(speed.languages)
        spread = [own.latency_seconds for own in speed.languages.values()]
        assert sorted(t for own in spread for t in own) == sorted(speed.latency_seconds)
        assert sum(own.tokens for own in speed.languages.values()) == sum(speed.token_lengths)
        shapes = [(cell.batch, cell.length) for cell in speed.grid]
        assert shapes == [(1, 8), (4, 8), (1, 48), (4, 48)]
        assert all(len(cell.seconds) == 5 and cell.warmup_seconds > 0 for cell in speed.grid)
        assert speed.grid[-1].operations > 4 * 6 * speed.grid[0].operations
        assert speed.peak is not None and speed.peak.threads == 1
        assert speed.peak.precision == speed.model.precision
        assert speed.peak.operations_a_second() > speed.operations / speed.throughput[0].seconds
    # the bundle's last layer of two computes one token's output
    assert torch_speed.operations / 2 < onnx_speed.operations < torch_speed.operations
    assert onnx_speed.model.bytes < torch_speed.model.bytes
    assert onnx_speed.model.precision == "int8" and onnx_speed.model.runtime == "onnxruntime"


class Spy:
    """A predictor that notes the shapes of its batches."""

    def __init__(self, batching: Batching) -> None:
        self.batching, self.shapes = batching, list[tuple[int, ...]]()
        self.max_length = 64

    def __call__(self, ids: np.ndarray, mask: np.ndarray, wanted: object) -> dict[str, np.ndarray]:
        self.shapes.append(ids.shape)
        return {"logits": np.zeros((len(ids), 3))}

    def run_batches(
        self, batches: Iterable[Any], wanted: object
    ) -> Iterator[dict[str, np.ndarray]]:
        return (self(ids, mask, wanted) for ids, mask in batches)


@pytest.mark.parametrize("batching", [ON_CPU, ON_GPU, Batching(640, 64)])
def test_batches_are_what_suits_the_predictor(batching: Batching) -> None:
    spy: Any = Spy(batching)
    run(spy, [Encoded(n, [0] * 40, []) for n in range(700)], "logits", 1)
    width = 64 if batching.multiple == 64 else 40
    assert {length for _, length in spy.shapes} == {width}
    assert max(rows for rows, _ in spy.shapes) == min(512, batching.tokens // width)
    run(spy, [Encoded(0, [0] * 64, [])] * 3, "logits", 1, max_tokens=1)
    assert spy.shapes[-3:] == [(1, 64)] * 3


@given(st.integers(1, 300), st.integers(1, 9), st.integers(1, 40))
def test_no_width_is_just_below_a_block(length: int, multiple: int, blocks: int) -> None:
    batching = Batching(512, multiple, block := multiple * blocks)
    (width,) = batching.widths([length], 10_000)
    assert length <= width < length + 2 * multiple and width % multiple == 0
    assert blocks == 1 or width % block != block - multiple
    assert Batching(512, multiple).widths([length], 10_000)[0] - length < multiple
    assert batching.widths([length], length) == [length]  # none beyond what the model takes


def test_batches_are_larger_on_a_gpu(tiny_nli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = open_model(tiny_nli)
    assert predictor.batching == ON_CPU
    monkeypatch.setattr(type(predictor), "device", "some GPU")
    assert predictor.batching == ON_GPU


def test_a_sample_is_spread_over_every_language(tiny_nli: Path) -> None:
    tokenizer, task = tokenization.load(tiny_nli), TASKS.get("xnli")
    found = sample(tokenizer, 64, task, EMBEDDED, 3)
    assert set(found) == set(task.available(EMBEDDED, "test"))
    rows = task.load(EMBEDDED, "test", "sw")
    step = len(rows) // 3
    wanted = pair.encode(tokenizer, [rows[0], rows[step], rows[2 * step]], 64)
    assert [item.ids for item in found["sw"]] == [item.ids for item in wanted]


def test_agreement_of_a_tagger_counts_words_or_else_all_tokens() -> None:
    same, other = np.eye(4), np.eye(4)[[0, 1, 3, 3]]
    worded = Encoded(0, [0, 7, 8, 2], [-1, 0, -1, -1])
    assert _agreement(worded, same, other, "label") == (1.0, 1.0)
    assert _agreement(Encoded(0, [0, 7, 8, 2], []), same, other, "label") == (3.0, 4.0)


def test_a_measurement_that_breaks_says_why(tiny_nli: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_nli, tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"half")
    subject = Subject(tmp_path / "m", {"en": [[0, 5, 2]]}, "student", "text")
    with pytest.raises(MeasurementError, match="measuring student gave no result: "):
        measure([subject], source="embedded", threads=1)


@pytest.mark.slow
def test_a_process_leaves_with_who_holds_its_connection(tmp_path: Path) -> None:
    context = start_context([])
    ours, theirs = context.Pipe()
    child = context.Process(target=leave_with_and_wait, args=(theirs,))
    child.start()
    theirs.close()
    child.join(0.5)
    assert child.exitcode is None
    ours.close()
    child.join(30)
    assert child.exitcode == 1


def test_a_pickle_is_refused_with_the_way_out(tiny_nli: Path, tmp_path: Path) -> None:
    shutil.copyfile(tiny_nli / "config.json", tmp_path / "config.json")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(PickleRefusedError, match="convert it once"):
        open_model(tmp_path)


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a checkpoint"):
        open_model(tmp_path)


def test_truncated_weights_are_named(tiny_nli: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_nli, tmp_path / "m")
    path = tmp_path / "m" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match="is not a whole safetensors file"):
        open_model(tmp_path / "m")


def test_parameters_are_counted_from_the_file(tiny_nli: Path) -> None:
    from evalsuite.runtimes.torch import load_checkpoint

    total, embeddings = model_size.parameter_counts(tiny_nli)
    model = load_checkpoint(tiny_nli)
    assert total == sum(p.numel() for p in model.parameters())
    assert embeddings == sum(
        p.numel() for n, p in model.named_parameters() if n.endswith("_embeddings.weight")
    )
    assert json.loads((tiny_nli / "config.json").read_text())["finetuning_task"] == "xnli"


def test_a_model_without_a_config_is_refused_in_words(tiny_nli: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config.json, which names the padding piece"):
        tokenization.pad_id(tmp_path)
    assert tokenization.pad_id(tiny_nli) == 1
