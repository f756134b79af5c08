"""`plan --jobs` and `plan --on`: when stages would run, on what, and how long all of them take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import FakeCluster, in_place_of_ray

from evalsuite.machine.memory import Memory, Place
from evalsuite.machine.work import Work
from recipes.cli import outlook
from recipes.cluster import forecast, node_probe
from recipes.cluster.node_check import Files
from recipes.cluster.node_kinds import kinds_of
from recipes.cluster.node_probe import Answer, Asked, StageWork, measure
from recipes.cluster.protocol import Node, Request
from recipes.planning.list_schedule import Slot, end_of, list_schedule, most_at_once
from recipes.planning.memory import Estimate

RECIPE = """
name: wide
source: embedded
resources: {memory: 1 GB}
matrix: {task: [xnli, panx, udpos]}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: ["${task}"]}
  - {name: big, stage: train, model: ./base, tasks: [xnli], seed: 7, resources: {memory: 40 GB}}
  - {name: speed, stage: benchmark, models: [teacher]}
"""
SECONDS = {
    "teacher[task=xnli]": 10.0,
    "teacher[task=panx]": 20.0,
    "teacher[task=udpos]": 30.0,
    "big": 5.0,
    "speed": 3.0,
}


@pytest.fixture(autouse=True)
def _known_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages take as long as `SECONDS` says; the report is not known."""

    def work_of(plan: Any, text: Any, labels: Any) -> Mapping[str, Work | str]:
        return {
            label: Work(other=SECONDS[label], output=10.0, working=7.0)
            if label in SECONDS
            else "not measured"
            for label in labels
        }

    monkeypatch.setattr(outlook, "work_of", work_of)
    monkeypatch.setattr(forecast, "work_of", work_of)


def cluster_of(**sizes: Node) -> FakeCluster:
    """Nodes that see the workspace; `fast` ones take half the time."""
    cluster = FakeCluster(dict.fromkeys(sizes))
    cluster.sizes = sizes

    def answer(asked: Asked) -> Answer:
        factor = 0.5 if cluster.probed[len(answers)].startswith("fast") else 1.0
        gpu = Place("H200", 20 * 10**9) if any(one.gpu for one in asked.stages.values()) else None
        answers.append(asked)
        parts = {name: {"other": factor * one.work.other} for name, one in asked.stages.items()}
        return Answer(parts, gpu, ({"figure": "call"},))

    answers: list[Asked] = []
    cluster.measure = answer
    return cluster


def planned(lab: Any, capfd: Any, *options: str) -> dict[str, Any]:
    assert lab.cli("plan", "r.yaml", "--json", *options) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_stages_begin_when_their_needs_are_made_and_there_is_room() -> None:
    needs = {"a": [], "b": [], "c": ["a"], "d": ["b", "c"], "old": []}
    took = {"a": 4.0, "b": 3.0, "c": 1.0, "d": 2.0}
    asks = dict.fromkeys(took, (1,))
    two = list_schedule({**needs, "a": ["old"]}, asks, [(2,)], lambda label, place: took[label])
    assert two == {"a": Slot(0, 0, 4), "b": Slot(0, 0, 3), "c": Slot(0, 4, 5), "d": Slot(0, 5, 7)}
    one = list_schedule(needs, asks, [(1,)], lambda label, place: took[label])
    assert end_of(one) == sum(took.values()) and most_at_once(one, took) == 4
    assert most_at_once(two, took) == 7
    alone = list_schedule(needs, asks | {"b": (2,)}, [(2,)], lambda label, place: took[label])
    assert (alone["b"].begins, alone["c"].begins) == (4, 7)  # in the order of the plan


def test_the_faster_place_that_has_room_is_taken_and_none_where_none_is_large_enough() -> None:
    needs = {"a": [], "b": [], "huge": [], "after": ["huge"]}
    asks = {"a": (2, 0), "b": (2, 0), "huge": (9, 0), "after": (1, 1)}
    places = [(2, 1), (4, 0)]
    found = list_schedule(needs, asks, places, lambda label, place: (6.0, 2.0)[place])
    assert [found[label].place for label in needs] == [1, 1, None, 0]
    assert found["huge"] == Slot(None, 0, 0) and found["after"].ends == 6
    refused = list_schedule(needs, asks, places, lambda label, place: None if place else 6.0)
    assert [refused[label].place for label in needs] == [0, 0, None, 0]


def test_nodes_are_alike_where_processors_are_and_memory_nearly_is() -> None:
    nodes = [Node("head", 0, 0, 9), Node("a", 8, 0, 95), Node("g", 8, 1, 95), Node("b", 8, 0, 100),
             Node("c", 8, 0, 70)]  # fmt: skip
    names = [[node.name for node in kind.nodes] for kind in kinds_of(nodes)]
    assert names == [["a", "b"], ["g"], ["c"]]
    assert kinds_of(nodes)[0].least.name == "a"


def test_what_fits_on_some_nodes_of_a_kind_alone_divides_it():
    (kind,) = kinds_of([Node("a", 8, 0, 31 * 10**9), Node("b", 8, 0, 28 * 10**9)])
    parts = kind.divided([Request(2, memory=29 * 10**9), Request(1)])
    assert [[node.name for node in part.nodes] for part in parts] == [["a"], ["b"]]
    assert kind.divided([Request(1)]) == [kind]


def test_two_jobs_take_as_long_as_their_longest_chain(lab: Any, capfd: Any) -> None:
    lab.write(RECIPE)
    one, two = planned(lab, capfd), planned(lab, capfd, "--jobs", "2")
    assert one["total"]["predicted_seconds"] == sum(SECONDS.values())
    assert one["total"]["working_disk_bytes"] == 7 and "begins_seconds" not in one["stages"][0]
    stages = {stage["stage"]: stage for stage in two["stages"]}
    begun = [stages[f"teacher[task={task}]"]["begins_seconds"] for task in ("xnli", "panx")]
    assert begun == [0, 0] and stages["teacher[task=udpos]"]["begins_seconds"] == 10
    assert stages["big"]["begins_seconds"] == 20  # before `speed`, which needs both jobs
    assert two["total"]["predicted_seconds"] == 43 and two["total"]["working_disk_bytes"] == 14
    assert lab.cli("plan", "r.yaml", "--jobs", "2") == 0
    said = capfd.readouterr().out
    assert "prediction: at least 43s, 2 stages at the same time, with this machine" in said


def test_stages_are_planned_for_the_nodes_of_a_cluster(lab: Any, capfd: Any) -> None:
    lab.write(RECIPE)
    small, large = Node("", 2, 0, 8 * 10**9), Node("", 4, 0, 64 * 10**9)
    cluster = cluster_of(slow1=small, slow2=small, fast=large)
    with in_place_of_ray(cluster):
        found = planned(lab, capfd, "--on", "ray")
        assert cluster.probed == ["slow1", "fast"]
    stages = {stage["stage"]: stage for stage in found["stages"]}
    kinds = [(kind["name"], kind["nodes"], kind["cpus"]) for kind in found["cluster"]["node_kinds"]]
    assert kinds == [("kind 1", ["slow1", "slow2"], 2), ("kind 2", ["fast"], 4)]
    assert found["machine"] is None and found["cluster"]["node_kinds"][1]["probe"]
    teacher, big = stages["teacher[task=xnli]"], stages["big"]
    assert teacher["asks"] == {"cpus": 2, "gpus": 0, "memory_bytes": 10**9}
    assert teacher["by_node_kind"]["kind 1"] == {"fits": True, "predicted_seconds": 10}
    assert (teacher["node_kind"], teacher["predicted_seconds"]) == ("kind 2", 5)
    assert not big["by_node_kind"]["kind 1"]["fits"] and big["node_kind"] == "kind 2"
    assert stages["teacher[task=udpos]"]["node_kind"] == "kind 1"  # two take all of the fast node
    assert stages["speed"]["asks"]["cpus"] == 4
    assert stages["report"]["time_unknown"] == "not measured"
    assert found["total"]["predicted_seconds"] == max(
        one["ends_seconds"] for one in stages.values()
    )


def test_what_no_node_can_make_is_said_and_the_rest_is_planned(lab: Any, capfd: Any) -> None:
    lab.write(RECIPE)
    cluster = cluster_of(fast=Node("", 2, 0, 8 * 10**9))
    with in_place_of_ray(cluster):
        assert lab.cli("plan", "r.yaml", "--on", "ray") == 0
    out, err = capfd.readouterr()
    rows = {cells[0]: cells for line in out.splitlines() if (cells := line.split())}
    assert err == "" and out.splitlines()[0].endswith("node")
    assert rows["big"][-2:] == ["too", "small"]
    assert "no node is large enough; run would refuse the recipe: big\n" in out
    assert "on 1 node as busy as now; " in out
    assert rows["kind"][:6] == ["kind", "1", "1", "2", "-", "8.0"] and "fast" in rows["kind"]


def test_stages_of_the_shared_cache_are_not_made_again(
    lab: Any, capfd: Any, tmp_path: Path
) -> None:
    lab.write(RECIPE)
    shared = str(tmp_path / "shared")
    options = ("--cache", shared, "--quiet", "--until", "big", "--workspace", str(tmp_path / "w"))
    assert lab.cli("run", "r.yaml", *options) == 0
    capfd.readouterr()
    found = planned(lab, capfd, "--cache", shared)
    states = {stage["stage"]: (stage["state"], stage["took_seconds"]) for stage in found["stages"]}
    assert states["big"][0] == "shared" and states["big"][1] is not None
    assert states["speed"] == ("to make", None)
    assert found["total"]["predicted_seconds"] == sum(SECONDS.values()) - SECONDS["big"]


def test_a_gpu_is_large_enough_where_the_estimate_is(
    lab: Any, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write(RECIPE.replace("resources: {memory: 40 GB}", "resources: {gpus: 1}"))
    gpu = Node("", 2, 1, 8 * 10**9)
    for need, kind in ((19 * 10**9, "kind 1"), (21 * 10**9, None)):

        def of_all(plan: Any, place: Place, text: Any, need: int = need) -> dict[str, Any]:
            return {one.label: Estimate(Memory({"weights": need}), place) for one in plan.stages}

        monkeypatch.setattr(forecast, "estimate_or_reason", of_all)
        with in_place_of_ray(cluster_of(fast=gpu)):
            found = planned(lab, capfd, "--on", "ray")
        big = next(stage for stage in found["stages"] if stage["stage"] == "big")
        assert big["asks"]["gpus"] == 1 and big["node_kind"] == kind
        assert found["cluster"]["node_kinds"][0]["gpu"] == {"of": "H200", "bytes": 20 * 10**9}
        assert big["memory"]["fits"] is (kind is not None)


def test_a_node_measures_each_number_of_threads_apart(lab: Any) -> None:
    work = Work(calls=1000.0, other=2.0)
    stages = {"a": StageWork(work, 1, False), "b": StageWork(work, 2, True),
              "c": StageWork(work, 1, False)}  # fmt: skip
    answer = measure(Asked(stages, Files(lab.folder, None, "mark")))
    assert answer.parts["a"] == answer.parts["c"] and answer.parts["a"]["other"] > 2.0
    if not node_probe.has_gpu():
        assert [(one["figure"], one["threads"], one["device"]) for one in answer.figures] == [
            ("call", 1, "cpu"), ("call", 2, "cpu")]  # fmt: skip
        assert answer.gpu is None
