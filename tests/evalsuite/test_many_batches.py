"""Many batches: in order, at the same time, with the outputs each gives alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from heads import headed

from compress.export.calibration_text import Calibration
from compress.export.export import export
from compress.export.graph import ExportOptions
from evalsuite.errors import ModelError
from evalsuite.inference.batch_runner import pad
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import CONCURRENT_FROM
from evalsuite.registry import TASKS
from evalsuite.runtimes._concurrent import in_order
from evalsuite.runtimes.onnxruntime import OnnxPredictor
from evalsuite.runtimes.openvino import OpenVinoPredictor
from evalsuite.task import DataSource

Batch = tuple[np.ndarray, np.ndarray]
LENGTHS = (7, 3, 12, 5, 9, 4, 8, 6, 11, 2)


def batches() -> list[Batch]:
    return [pad([list(range(5, 5 + n)), list(range(9, 8 + n))], 1) for n in LENGTHS]


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def bundle(
    request: pytest.FixtureRequest, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    place = tmp_path_factory.mktemp(request.param)
    runtime: str = request.param
    text = ExportOptions(Calibration(TASKS.get("xquad"), DataSource("embedded"), 2))
    spans = headed(tiny_base, "span", place / "spans")
    export(spans, place / "bundle", runtime=runtime, precision="int8", options=text)
    return place / "bundle"


def opened(directory: Path, threads: int) -> OnnxPredictor | OpenVinoPredictor:
    found = open_model(directory, threads)
    assert isinstance(found, OnnxPredictor | OpenVinoPredictor)
    return found


def test_many_batches_give_what_each_gives_alone(bundle: Path) -> None:
    wanted = ("logits", "hidden_states.1")
    one, many = opened(bundle, 1), opened(bundle, 2)
    alone = [one(*batch, wanted) for batch in batches()]
    found = list(many.run_batches(batches(), wanted))
    assert many.concurrent and not one.concurrent
    for expected, got in zip(alone, found, strict=True):
        for name in wanted:
            np.testing.assert_allclose(got[name], expected[name], atol=1e-5)
    again = many(*batches()[0], wanted)  # back to one at a time
    assert not many.concurrent
    np.testing.assert_allclose(again["logits"], alone[0]["logits"], atol=1e-5)


def test_a_few_batches_do_not_open_a_bundle_anew(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    few = batches()[: 2 * CONCURRENT_FROM - 1]
    assert (
        len(list(predictor.run_batches(few, ("logits",)))) == len(few) and not predictor.concurrent
    )
    assert len(list(predictor.run_batches([*few, few[0]], ("logits",)))) == 2 * CONCURRENT_FROM
    assert predictor.concurrent
    assert len(list(predictor.run_batches(few[:1], ("logits",)))) == 1 and predictor.concurrent
    single = opened(bundle, 1)
    assert (
        len(list(single.run_batches(batches(), ("logits",)))) == len(LENGTHS)
        and not single.concurrent
    )


def test_a_bundle_is_held_in_memory_once(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    for concurrent in (True, False):
        one = predictor.session if isinstance(predictor, OnnxPredictor) else predictor.graph
        held = weakref.ref(one)
        del one
        predictor.reopen(concurrent=concurrent)
        gc.collect()
        assert held() is None


def test_an_error_of_one_batch_comes_in_its_place(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    with pytest.raises(ModelError, match=r"has no output hidden_states\.9"):
        list(predictor.run_batches(batches(), ("hidden_states.9",)))
    assert len(list(predictor.run_batches(batches(), ("logits",)))) == len(LENGTHS)


def test_a_run_that_is_left_is_waited_for(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    whole = list(predictor.run_batches(batches(), ("logits",)))
    for _ in range(4):  # as many requests as before serve what comes after
        left = predictor.run_batches(batches(), ("logits",))
        np.testing.assert_array_equal(next(left)["logits"], whole[0]["logits"])
        left.close()  # type: ignore[attr-defined]
    again = list(predictor.run_batches(batches(), ("logits",)))
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one["logits"], other["logits"])


def test_shapes_that_change_with_every_batch_do_not_hold_it_up(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    many = [pad([[5] * (1 + n % 37)] * (1 + n % 5), 1) for n in range(400)]
    assert sum(len(found["logits"]) for found in predictor.run_batches(many, ("logits",))) == 1200


class Work:
    """Items begun and waited for, noted."""

    def __init__(self, wrong: int | None = None) -> None:
        self.wrong, self.begun, self.ended = wrong, list[int](), list[int]()

    def start(self, item: int) -> Callable[[], int]:
        self.begun.append(item)

        def wait() -> int:
            self.ended.append(item)
            if item == self.wrong:
                raise ValueError("wrong")
            return -item

        return wait


def test_items_come_in_order_with_some_begun_ahead() -> None:
    work = Work()
    results = in_order(work.start, range(50), 3)
    assert next(results) == 0
    assert work.begun == [0, 1, 2] and work.ended == [0]
    assert list(results) == [-item for item in range(1, 50)]


def test_what_is_begun_is_waited_for_and_nothing_else_begins() -> None:
    left, wrong = Work(), Work(wrong=1)
    results = in_order(left.start, range(50), 3)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert left.begun == left.ended == [0, 1, 2]
    results = in_order(wrong.start, range(50), 3)
    assert next(results) == 0
    with pytest.raises(ValueError, match="wrong"):
        next(results)
    assert wrong.begun == wrong.ended == [0, 1, 2, 3]
