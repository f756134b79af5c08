"""What a Ray task does while it holds processors, with a stand-in for Ray itself."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from recipes.cluster import node_stage
from recipes.cluster.ray_cluster import _make_function
from recipes.execution.stage_worker import News, Result


class _Ray:
    """Ray's queue and `ray.get`, which note in which order they are used."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.noted: list[str] = []
        ray, pickler = ModuleType("ray"), ModuleType("ray.cloudpickle")
        vars(ray).update(
            get=lambda refs: self.noted.append(f"waits for {refs}"), cloudpickle=pickler
        )
        vars(pickler).update(loads=pickle.loads)
        monkeypatch.setitem(sys.modules, "ray", ray)
        monkeypatch.setitem(sys.modules, "ray.cloudpickle", pickler)
        self.inbox = SimpleNamespace(
            actor=SimpleNamespace(put_nowait=SimpleNamespace(remote=self.say))
        )

    def say(self, news: News) -> str:
        self.noted.append(news.method)
        return f"answer to {news.method}"


def test_a_stage_waits_for_ray_only_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    # while it waits (`ray.get`), Ray starts another task on its processors
    ray = _Ray(monkeypatch)

    def make_stage(work: Any, assignment: Any, send: node_stage.Send) -> Result:
        assert (work, assignment) == ("the plan", "a stage")
        send(News("at", ()))
        send(News("update", ()))
        ray.noted.append("made")
        return Result(None, None)

    monkeypatch.setattr(node_stage, "make_stage", make_stage)
    made = _make_function()(pickle.dumps("the plan"), pickle.dumps("a stage"), ray.inbox)
    assert made == Result(None, None)
    assert ray.noted == ["at", "update", "made", "waits for ['answer to update']"]
