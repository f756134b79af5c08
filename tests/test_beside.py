"""Many batches: in order, beside each other, and what they give alone."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from heads import headed

from compress.calibration import Calibration
from compress.export import Quantization, export
from compress.precisions import Runtime
from evalsuite.errors import ModelError
from evalsuite.run import pad
from evalsuite.runtimes import ENOUGH, open_model
from evalsuite.runtimes._beside import in_order
from evalsuite.runtimes.onnxruntime import OnnxPredictor
from evalsuite.runtimes.openvino import OpenVinoPredictor
from evalsuite.task import DataSource
from evalsuite.tasks import get

Batch = tuple[np.ndarray, np.ndarray]
LENGTHS = (7, 3, 12, 5, 9, 4, 8, 6, 11, 2)


def batches() -> list[Batch]:
    return [pad([list(range(5, 5 + n)), list(range(9, 8 + n))], 1) for n in LENGTHS]


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def bundle(
    request: pytest.FixtureRequest, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    place = tmp_path_factory.mktemp(request.param)
    runtime: Runtime = request.param
    text = Quantization(Calibration(get("xquad"), DataSource("embedded"), 2))
    spans = headed(tiny_base, "span", place / "spans")
    export(spans, place / "bundle", runtime=runtime, precision="int8", quantization=text)
    return place / "bundle"


def opened(directory: Path, threads: int) -> OnnxPredictor | OpenVinoPredictor:
    found = open_model(directory, threads)
    assert isinstance(found, OnnxPredictor | OpenVinoPredictor)
    return found


def test_many_batches_give_what_each_gives_alone(bundle: Path) -> None:
    wanted = ("logits", "hidden_states.1")
    one, many = opened(bundle, 1), opened(bundle, 2)
    alone = [one(*batch, wanted) for batch in batches()]
    found = list(many.each(batches(), wanted))
    assert many.beside and not one.beside
    for expected, got in zip(alone, found, strict=True):
        for name in wanted:
            np.testing.assert_allclose(got[name], expected[name], atol=1e-5)
    again = many(*batches()[0], wanted)  # back to one at a time
    assert not many.beside
    np.testing.assert_allclose(again["logits"], alone[0]["logits"], atol=1e-5)


def test_a_few_batches_do_not_open_a_bundle_anew(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    few = batches()[: 2 * ENOUGH - 1]
    assert len(list(predictor.each(few, ("logits",)))) == len(few) and not predictor.beside
    assert len(list(predictor.each([*few, few[0]], ("logits",)))) == 2 * ENOUGH
    assert predictor.beside
    assert len(list(predictor.each(few[:1], ("logits",)))) == 1 and predictor.beside
    single = opened(bundle, 1)
    assert len(list(single.each(batches(), ("logits",)))) == len(LENGTHS) and not single.beside


def test_a_bundle_is_held_in_memory_once(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    for beside in (True, False):
        one = predictor.session if isinstance(predictor, OnnxPredictor) else predictor.graph
        held = weakref.ref(one)
        del one
        predictor.open(beside=beside)
        gc.collect()
        assert held() is None


def test_a_bundle_is_open_in_one_way_at_a_time(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    whole = predictor.open(beside=False)
    beside = predictor.open(beside=True)
    assert predictor.open(beside=True) is not whole
    ids, mask = batches()[0]
    names = ("hidden_states.1",)
    feeds = {"input_ids": ids, "attention_mask": mask}
    # what was opened before goes on working for those who hold it
    np.testing.assert_allclose(whole(names, feeds)[0], beside(names, feeds)[0], atol=1e-5)


def test_an_error_of_one_batch_comes_in_its_place(bundle: Path) -> None:
    predictor = opened(bundle, 2)
    with pytest.raises(ModelError, match=r"does not give hidden_states\.9"):
        list(predictor.each(batches(), ("hidden_states.9",)))
    assert len(list(predictor.each(batches(), ("logits",)))) == len(LENGTHS)


def test_items_run_beside_each_other_and_come_back_in_order() -> None:
    meet = threading.Barrier(3, timeout=20)

    def run(item: int) -> int:
        if item < 6:
            meet.wait()  # passes only where three run at once
        return -item

    assert list(in_order(run, range(50), 3)) == [-item for item in range(50)]


def test_items_are_read_no_further_ahead_than_threads_need() -> None:
    read = []

    def items() -> Iterator[int]:
        for item in range(100):
            read.append(item)
            yield item

    results = in_order(lambda item: item, items(), 2)
    assert next(results) == 0 and len(read) == 6
    results.close()  # type: ignore[attr-defined]
    assert len(read) == 6


def test_an_error_ends_what_has_not_begun() -> None:
    begun = []

    def run(item: int) -> int:
        begun.append(item)
        if item == 1:
            raise ValueError("one")
        return item

    results = in_order(run, range(1000), 2)
    assert next(results) == 0
    with pytest.raises(ValueError, match="one"):
        list(results)
    assert len(begun) < 10
