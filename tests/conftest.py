"""How a test process is set up, where the real data lies, and a hub on this machine."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.loopback_hub import LoopbackHub

MEMORY = "/dev/shm"  # a file system in memory, on Linux
ROOM = 4e9  # bytes; the whole suite writes less at a time


def _has_room(folder: str) -> bool:
    """Whether programs may write, and run, some gigabytes there."""
    if not os.access(folder, os.W_OK):
        return False
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize > ROOM and not there.f_flag & os.ST_NOEXEC


# One thread a process, set before torch loads and inherited by children: two workers share two
# cores. A test of threads asks for its number by itself.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Importing bitsandbytes loads torch's compiler, 1.3 s in every process. Nothing here compiles.
os.environ["TORCHDYNAMO_DISABLE"] = "1"

# Tests write some 20,000 files. In memory that takes no time; on a slow disk it was half of theirs.
if os.environ.get("TMPDIR") is None and _has_room(MEMORY):
    os.environ["TMPDIR"] = MEMORY
    tempfile.tempdir = None  # asked for before: look again

# On a busy machine an example takes long, and that is no fault.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

pytest_plugins = ["trained_models", "recipe_lab"]  # files of tests/support, with fixtures

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


TRAINED = {"tiny_base", "tiny_adapter", "tiny_nli", "tiny_bundle", "tiny_english"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that takes a trained model is slow; several workers begin with files of slow tests.

    So no worker is left alone with a long test at the end.
    """
    for item in items:
        if TRAINED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])  # a file's tests stay together


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """What tests write in this process need not survive a loss of power.

    A search of 18 trials asked 400 times that its files be on the disk.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def _modules_are_not_searched_for_garbage() -> None:
    """Leave what is loaded out of garbage collection.

    Each training begins with a full collection, which takes most of a second where it looks
    through all of torch and transformers.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _declared_tasks_end_with_their_module() -> Iterator[None]:
    """A task that a test declares is not known to the tests of another module."""
    yield
    from evalsuite.own.declared import declare

    declare({})


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def xtreme_dir() -> Path:
    """Real files in the XTREME layout."""
    return _folder("xtreme")


@pytest.fixture(scope="session")
def mock_dir() -> Path:
    """The benchmark's mock submission, its labels and the official scores."""
    return _folder("xtreme_mock")


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    """Parallel and one-language text for pretraining."""
    return _folder("corpus")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """The hub of this process: an empty one on the loopback, with empty caches, and no waiting."""
    from tests.support.loopback_hub import LoopbackHub

    found = LoopbackHub()
    found.serve(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    yield found
    found.close()
    assert not found.elsewhere, f"asked another host: {found.elsewhere}"
