"""A cluster that is not there, that goes, or whose disks have the same names."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from demo_recipe import RECIPE

from recipes.cluster import cluster_place
from recipes.cluster.cluster_place import ClusterPlace
from recipes.cluster.protocol import ClusterError
from recipes.run import run_recipe


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(cluster_place, "_LOOK", 0.01)
    monkeypatch.setattr(cluster_place, "_SOON", 0.02)
    monkeypatch.setattr(cluster_place, "_APPEARS", 0.05)


def test_without_a_cluster_nothing_is_removed(lab, monkeypatch, capsys):
    run_recipe(lab.write(RECIPE), workspace=lab.folder / ".lingopress")
    made = sorted(path.name for path in (lab.folder / ".lingopress" / "stages").iterdir())
    monkeypatch.setitem(sys.modules, "ray", None)

    assert lab.cli("run", "r.yaml", "--from", "teacher", "--on", "ray") == 2

    assert sorted(path.name for path in (lab.folder / ".lingopress" / "stages").iterdir()) == made


class _Gone:
    """A cluster that does not answer."""

    grows = False

    def share(self, work: Any) -> Any:
        return work

    def start(self, *_: Any) -> str:
        return "job"

    def nodes(self) -> list[Any]:
        return []

    def news(self) -> list[Any]:
        raise ConnectionError("no route")


def _place(cluster: Any, maker: Any, cache: str | None = None) -> ClusterPlace:
    opened = SimpleNamespace(cluster=cluster, files=SimpleNamespace(cache=cache))
    return ClusterPlace(opened, maker, {}, lambda stages: {s.label: _REQUEST for s in stages})


_REQUEST = SimpleNamespace(cpus=1, gpus=0)


def test_a_stage_that_is_sent_to_a_lost_cluster_fails():
    stage = SimpleNamespace(label="a", kind="train", key="0" * 64)
    plan = SimpleNamespace(graph=lambda: {"a": []})
    cache = SimpleNamespace(is_made_again=lambda key: False)
    maker = SimpleNamespace(plan=plan, debug=False, made={}, cache=cache)
    place = _place(_Gone(), maker)
    place.thread.join(10)  # nothing was sent when the loss was noticed

    with pytest.raises(ClusterError, match="does not answer any more: ConnectionError: no route"):
        place.submit(stage)


def test_a_disk_with_the_same_name_on_a_node_is_not_this_one(tmp_path, monkeypatch):
    """The output is then taken from the shared cache."""
    here, pulled = tmp_path / "stages" / "train-1", []

    class Cache:
        def path(self, kind, key):
            return here

        def lookup(self, kind, key):
            return here if here.is_dir() else None

        def lock(self, key, waits):
            return cluster_place.threading.Lock()

        def fetch(self, kind, key, pull):
            return pull(here)

    class Shared:
        def __init__(self, address: str) -> None:
            assert address == "s3://bucket"

        def pull(self, name, out):
            pulled.append(name)
            out.mkdir(parents=True)
            return True

    monkeypatch.setattr(cluster_place, "SharedCache", Shared)
    maker = SimpleNamespace(plan=None, debug=False, cache=Cache())
    place = _place(_Gone(), maker, "s3://bucket")
    stage = SimpleNamespace(label="a", kind="train", key="1")
    job = cluster_place._Job(stage, Future())

    found = place._bring(job, SimpleNamespace(path=here, record=None, cached=False))

    assert pulled == ["train-1"] and found.path == here
