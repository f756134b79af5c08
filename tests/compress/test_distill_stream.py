"""A student learns on streamed text, and goes on with the same batches after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from quick import distillation
from safetensors.torch import load_file

from compress.distill.distill import distill
from compress.distill.options import Options
from compress.distill.training_text import TrainingText, read_text
from compress.errors import StudentError
from evalsuite import tokenization
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import distill as stage
from recipes.stages._shared.contract import Artifact
from transfer.text.stream import Stream

SOURCE = DataSource("embedded")


@pytest.fixture
def streamed(tmp_path: Path) -> Options:
    """Options of a student that reads 1,500 lines in one language and 90 in another."""
    for code, count in (("de", 1500), ("sw", 90)):
        lines = (
            f"{'she' if code == 'sw' else 'he'} reads {number} " + "word " * (number % 7)
            for number in range(count)
        )
        (tmp_path / f"{code}.txt").write_text("\n".join(lines), encoding="utf-8")
    places = {code: (str(tmp_path / f"{code}.txt"),) for code in ("de", "sw")}
    stream = Stream(places, buffer=1024, tokens=tmp_path / "tokens")
    return distillation(
        stream=stream, logits=0.0, hidden=1.0, multilingual=0.5, epochs=20, max_steps=12
    )


def read(options: Options, model: Path, task: str, head: str | None = None) -> TrainingText:
    return read_text([TASKS.get(task)], SOURCE, model, options, head)


def drawn(text: TrainingText, numbers: Any) -> list[Any]:
    """The part and the ids of some batches, as a training asks for them."""
    found = []
    for number in numbers:
        batch = text.batches[number]
        found.append((batch.part, text.parts[batch.part].collate(batch)["input_ids"].tolist()))
    return found


def test_batches_of_rows_and_of_a_stream_are_known_by_their_numbers(
    streamed: Options, tiny_base: Path
) -> None:
    options = replace(streamed, max_steps=200)
    text = read(options, tiny_base, "udpos")
    whole = drawn(text, range(200))
    assert 70 < sum(part for part, _ in whole) < 130  # half of them are of the stream
    again = read(options, tiny_base, "udpos")
    assert drawn(again, range(131, 200)) == whole[131:]  # as after a kill
    assert [batch.part for batch in text.batches[:9]] == [part for part, _ in whole[:9]]
    assert options.stream is not None
    lines = Path(options.stream.places["sw"][0]).read_text(encoding="utf-8").split("\n")
    tokenizer, pad = tokenization.load(tiny_base), tokenization.pad_id(tiny_base)
    known = {tuple(encoding.ids) for encoding in tokenizer.encode_batch(lines)}
    rows = [ids for part, batch in whole if part == 1 for ids in batch]
    read_rows = [tuple(token for token in ids if token != pad) for ids in rows]
    swahili = sum(ids in known for ids in read_rows) / len(rows)
    exponent = 90**0.3 / (90**0.3 + 1500**0.3)
    assert abs(swahili - exponent) < 0.1


def test_a_model_of_two_texts_reads_a_line_and_its_neighbour(
    streamed: Options, tiny_base: Path
) -> None:
    text = read(streamed, tiny_base, "xnli", "pair")
    part = next(batch for batch in text.batches if batch.part == 1)
    ids = text.parts[1].collate(part)["input_ids"]
    ends = tokenization.id_of(tokenization.load(tiny_base), "</s>")
    assert ((ids == ends).sum(1) == 3).all() and ids.shape[1] <= streamed.max_length


class Killed(Exception):
    """Stands in for a kill."""


def test_a_killed_distillation_ends_with_the_same_weights(
    streamed: Options, tiny_base: Path, tmp_path: Path
) -> None:
    settings = replace(streamed.settings, save_every=0.0)
    options = replace(streamed, multilingual=0.0, max_steps=6, settings=settings)

    def kill(fraction: float, text: str) -> None:
        if text.startswith("step 4 "):
            raise Killed

    def made(name: str, **more: Any) -> dict[str, torch.Tensor]:
        folders = {"work": tmp_path / f"{name}-work", "out": tmp_path / name}
        fitted, _ = distill(tiny_base, [], SOURCE, options, **folders, **more)
        assert (fitted.steps, fitted.examples) == (6, 48)
        weights = load_file(tmp_path / name / "model.safetensors")
        return {key: value for key, value in weights.items() if "pooler" not in key}  # not trained

    whole = made("whole")
    with pytest.raises(Killed):
        made("cut", progress=kill)
    rest = made("cut")
    assert len(whole) > 10 and all(torch.equal(rest[name], whole[name]) for name in whole)


def test_what_does_not_go_with_a_stream(streamed: Options, tiny_base: Path, tmp_path: Path) -> None:
    options = replace(streamed, sentences=1.0)
    with pytest.raises(StudentError, match="embeddings of a stream are not kept"):
        distill(tiny_base, [], SOURCE, options, work=tmp_path / "w", out=tmp_path / "o")
    keys = {"name": "a", "stage": "distill", "teacher": "b", "stream": {"de": ["de.txt"]}}
    with pytest.raises(ValidationError, match="so remove max_pairs, prose"):
        stage.Config(**keys, max_pairs=3, prose=True)
    with pytest.raises(ValidationError, match="shuffle_buffer: only with stream"):
        stage.Config(name="a", stage="distill", teacher="b", shuffle_buffer=3)
    config = stage.Config(**keys, logits=0.0, others=["c"], hidden=1.0)
    with pytest.raises(StageInputError, match="stream: logits that are computed before training"):
        stage.check(config, {"teacher": (Artifact("checkpoint"),), "others": ()})
    kept = stage.Config(name="a", stage="distill", teacher="b").model_dump()
    assert (
        not {"stream", "shuffle_buffer", "sampling_exponent"} & kept.keys()
    )  # keys stay as they were
