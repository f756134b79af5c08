"""How threads wait: chosen once, from how busy the machine is, and never against a person."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from evalsuite.machine import waiting
from evalsuite.runtimes import onnxruntime as runtime

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "LINGOPRESS_WAITING")
ALONE = {"GOMP_SPINCOUNT": "20000", "LINGOPRESS_WAITING": "1"}
ASLEEP = {"OMP_WAIT_POLICY": "passive", "LINGOPRESS_WAITING": "1"}


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads, and no choice made yet; what a test sets is undone."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)


def busy(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    monkeypatch.setattr(waiting, "busy_share", lambda: share)


def chosen() -> dict[str, str]:
    return {name: os.environ[name] for name in NAMES if name in os.environ}


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, ALONE), (0.24, ALONE), (0.25, ASLEEP), (1.0, ASLEEP)]
)
def test_threads_sleep_where_the_machine_is_busy(
    monkeypatch: pytest.MonkeyPatch, share: float, expected: dict[str, str]
) -> None:
    busy(monkeypatch, share)
    waiting.choose()
    assert chosen() == expected


def test_the_choice_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, 0.0)
    waiting.choose()
    busy(monkeypatch, 1.0)
    waiting.choose()
    assert chosen() == ALONE


@pytest.mark.parametrize("name", NAMES[:3])
def test_what_a_person_set_stays(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    busy(monkeypatch, 1.0)
    monkeypatch.setenv(name, "7")
    waiting.choose()
    assert chosen() == {name: "7"}
    with waiting.as_if_alone():
        assert chosen() == {name: "7"}


def test_one_thread_needs_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    busy(monkeypatch, 1.0)
    waiting.choose()
    assert not chosen()


def test_a_measurement_spins_and_leaves_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, 1.0)
    waiting.choose()
    with waiting.as_if_alone():
        assert chosen() == ALONE
    assert chosen() == ASLEEP


def test_a_persons_sleeping_is_measured_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    with waiting.as_if_alone():
        assert waiting.sleeps()


def test_a_busy_machine_is_seen() -> None:
    process = os.fork() if hasattr(os, "fork") else pytest.skip("no fork")
    if process == 0:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            pass
        os._exit(0)
    try:
        shares = [waiting.busy_share() for _ in range(3)]
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
    assert max(shares) > 0.7 / (os.cpu_count() or 1)
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize(("share", "spins"), [(0.0, "1"), (1.0, "0")])
def test_sessions_of_onnxruntime_follow(
    monkeypatch: pytest.MonkeyPatch, share: float, spins: str
) -> None:
    import onnxruntime

    given = []

    def session(path: str, options: onnxruntime.SessionOptions, providers: list[str]) -> None:
        given.append(options.get_session_config_entry("session.intra_op.allow_spinning"))

    busy(monkeypatch, share)
    waiting.choose()
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    runtime._session(Path("model.onnx"), threads=2)
    assert given == [spins]
