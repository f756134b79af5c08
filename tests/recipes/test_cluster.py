"""Stages on the nodes of a cluster: the same results, whatever is lost on the way."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from demo_recipe import RECIPE
from fake_cluster import FakeCluster, in_place_of_ray

from recipes.cluster import cluster_place, node_check, node_stage, ray_cluster
from recipes.cluster.protocol import ClusterError, Node, Request
from recipes.cluster.stage_requests import requests_of
from recipes.errors import StageFailedError
from recipes.execution import work_snapshots
from recipes.execution.display import Display
from recipes.execution.run_options import RunOptions
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.run import run_recipe

MANY = """
name: many
source: embedded
matrix: {task: [xnli, panx, udpos]}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: ["${task}"], does: wait}
"""


class News(Display):
    """Keeps what is said and where stages start."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.started: list[tuple[str, str]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        self.started.append((label, where))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Nothing waits for a clock."""
    monkeypatch.setattr(node_stage, "EVERY", 0)
    monkeypatch.setattr(work_snapshots, "EVERY", 0)
    monkeypatch.setattr(cluster_place, "_LOOK", 0.01)


@pytest.fixture
def apart(tmp_path):
    """Two nodes, each with its own disk."""
    return FakeCluster({"ape": tmp_path / "ape", "bee": tmp_path / "bee"})


def run(lab, cluster, text=RECIPE, shared=None, **options):
    news = News()
    given = RunOptions(on="ray", cache=str(shared) if shared else None, debug=True, **options)
    with in_place_of_ray(cluster):
        outcome = run_recipe(
            lab.write(text), workspace=lab.folder / "here", options=given, progress=news
        )
    return outcome, news


def content(path: Path) -> dict[str, bytes]:
    """Files of an output that do not tell how it was made."""
    left_out = {"lingopress.json", "started_at", "threads"}
    return {
        p.name: p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name not in left_out
    }


@pytest.mark.slow
def test_nodes_without_a_shared_disk_make_what_one_machine_makes(lab, apart, tmp_path):
    outcome, news = run(lab, apart, shared=tmp_path / "shared")
    alone = run_recipe(lab.write(RECIPE), workspace=tmp_path / "alone")
    assert {where for _, where in news.started} == {"ape", "bee"}
    for ours, theirs in zip(outcome.stages, alone.stages, strict=True):
        assert ours.path.is_relative_to(tmp_path / "here") and not ours.cached
        assert content(ours.path) == content(theirs.path) != {}
    left = [p for p in (tmp_path / "shared" / "work").rglob("*") if p.is_file()]
    assert left == []  # neither snapshots nor marks
    sent = len(apart.sent)
    again, _ = run(lab, apart, shared=tmp_path / "shared")
    assert all(stage.cached for stage in again.stages) and len(apart.sent) == sent == 4


@pytest.mark.slow
def test_what_a_node_has_from_an_earlier_run_comes_here_too(lab, tmp_path):
    run(lab, FakeCluster({"ape": tmp_path / "ape"}), shared=tmp_path / "shared")
    (tmp_path / "here").rename(tmp_path / "before")
    outcome, news = run(lab, FakeCluster({"ape": tmp_path / "ape"}), shared=tmp_path / "another")
    assert news.started == [] and all(stage.path.is_dir() for stage in outcome.stages)


@pytest.mark.slow
def test_what_was_made_here_before_goes_to_the_nodes(lab, apart, tmp_path):
    until = RunOptions(until_stage="teacher")
    run_recipe(lab.write(RECIPE), workspace=lab.folder / "here", options=until)
    outcome, _ = run(lab, apart, shared=tmp_path / "shared")
    assert [stage.label for stage in outcome.stages if stage.cached] == ["teacher"]
    assert "teacher" not in [label for label, _, _ in apart.sent]


@pytest.mark.slow
def test_a_cluster_that_goes_when_a_stage_is_sent_again_is_said(lab, monkeypatch):
    cluster = FakeCluster({"ape": None})
    cluster.dies = lambda label, attempt, text: True
    start = cluster.start

    def gone(work, assignment, request):
        if assignment.attempt > 1:
            raise ConnectionError("no route")
        return start(work, assignment, request)

    monkeypatch.setattr(cluster, "start", gone)
    with pytest.raises(ClusterError, match="does not answer any more: ConnectionError: no route"):
        run(lab, cluster)


@pytest.mark.slow
@pytest.mark.parametrize("disk", ["shared", "separate"])
def test_a_lost_node_costs_what_it_did_since_its_last_snapshot(lab, tmp_path, disk):
    separate = disk == "separate"
    cluster = FakeCluster({n: tmp_path / n if separate else None for n in ("ape", "bee")})
    cluster.dies = lambda label, attempt, text: attempt == 1 and text.startswith("step 9 ")
    text = RECIPE.replace("tasks: [xnli]}", "tasks: [xnli], does: wait}", 1)
    outcome, news = run(lab, cluster, text, tmp_path / "cache" if separate else None)
    assert cluster.sent[:2] == [("teacher", "ape", 1), ("teacher", "bee", 2)]
    assert "teacher: its node died (on ape); it starts again, from its last snapshot" in news.said
    assert 0 < int((outcome.stages[0].path / "started_at").read_text()) <= 9
    assert outcome.stages[0].record.summary["steps"] == 10


@pytest.mark.slow
def test_a_stage_that_loses_every_node_fails(lab, tmp_path):
    cluster = FakeCluster({"ape": None})
    cluster.dies = lambda label, attempt, text: True
    with pytest.raises(StageFailedError, match="its node died, 10 times"):
        run(lab, cluster)
    assert len(cluster.sent) == cluster_place.MOST_LOSSES


def test_nodes_that_cannot_make_stages_are_named(lab, apart, monkeypatch):
    with pytest.raises(ClusterError) as refused:
        run(lab, apart)
    assert str(refused.value).count("does not see the workspace") == 2
    assert "--cache ADDRESS" in str(refused.value) and not apart.sent
    real = node_check.describe
    changed = {**node_check.versions(), "torch": "2.1.0", "lingopress": "0123456789"}
    monkeypatch.setattr(node_check, "describe", lambda files: {**real(files), "versions": changed})
    with pytest.raises(ClusterError) as refused:
        run(lab, FakeCluster({"ape": None}))
    assert "ape: torch is 2.1.0, and here it is" in str(refused.value)
    assert "ape: lingopress is 0123456789" in str(refused.value)
    absent = {"host": "ape", "absent": "No module named 'recipes'"}
    monkeypatch.setattr(node_check, "describe", lambda files: absent)
    with pytest.raises(ClusterError, match="ape: lingopress is not installed there"):
        run(lab, FakeCluster({"ape": None}))
    assert not [p for p in (lab.folder / "here" / "locks").iterdir() if "seen" in p.name]


def test_a_node_with_other_files_makes_nothing(lab, monkeypatch):
    monkeypatch.setattr(node_stage, "with_keys", lambda plan, memo, problems, rows: [])
    monkeypatch.setattr(node_stage, "_keys", set())
    with pytest.raises(ClusterError, match="ape: stage teacher would not be the same there"):
        run(lab, FakeCluster({"ape": None}))


def test_what_no_node_has_is_refused_with_what_the_cluster_has(lab, apart):
    text = RECIPE.replace("tasks: [xnli]}", "tasks: [xnli], resources: {gpus: 2, cpus: 1}}", 1)
    with pytest.raises(ClusterError) as refused:
        run(lab, apart, text, lab.folder / "cache")
    assert "teacher needs 1 CPU, 2 GPUs" in str(refused.value)
    assert "bee: 2 CPUs, 8.0 GB of memory" in str(refused.value)


def test_a_failure_ends_what_has_not_begun(lab):
    cluster = FakeCluster({"ape": None})
    text = MANY.replace("does: wait", "does: break")
    with pytest.raises(StageFailedError, match="failed: ValueError: loss is nan"):
        run(lab, cluster, text)
    assert cluster.cancelled and len(cluster.sent) < 3


@pytest.mark.slow
def test_an_interrupt_ends_what_runs(lab, monkeypatch):
    cluster = FakeCluster({"ape": None})

    def interrupted(self: object, stage: object) -> None:
        submit(self, stage)
        raise KeyboardInterrupt

    submit = cluster_place.ClusterPlace.submit
    monkeypatch.setattr(cluster_place.ClusterPlace, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(lab, cluster, MANY)
    assert cluster.cancelled == 1


def test_each_stage_asks_for_its_share_of_a_node(lab):
    text = """
    name: demo
    source: embedded
    resources: {memory: 4 GB}
    matrix: {task: [xnli, panx]}
    stages:
      - {name: first, stage: train, model: ./base, tasks: [xnli], resources: {cpus: 3}}
      - {name: teacher, stage: train, model: first, tasks: ["${task}"]}
      - {name: speed, stage: benchmark, models: [teacher]}
    """
    plan = make_plan(load(lab.write(text)), None, DigestMemo())
    nodes = [Node("head", 0, 0, 10**10), Node("a", 8, 0, 10**10), Node("b", 16, 0, 10**10)]
    found = requests_of(plan, plan.stages, nodes, 2, grows=False)
    assert found["first"] == Request(3, memory=0)  # its own resources replace the recipe's
    assert found["teacher[task=xnli]"] == Request(4, memory=4_000_000_000)
    assert found["speed"].cpus == 16  # all of the largest: nothing runs at the same time there
    with pytest.raises(ClusterError, match="has CPUs for stages"):
        requests_of(plan, plan.stages, nodes[:1], 1, grows=False)
    (plan.stages[1].module).memory = None
    found = requests_of(plan, plan.stages, [replace(nodes[1], gpus=4)], 1, grows=False)
    assert found["teacher[task=xnli]"] == Request(2, 1, 4_000_000_000)


def test_addresses_and_an_absent_ray(lab, monkeypatch, capsys):
    lab.write(RECIPE)
    assert lab.cli("run", "r.yaml", "--on", "slurm") == 2
    assert "give ray" in capsys.readouterr().err
    assert lab.cli("plan", "r.yaml", "--on", "slurm") == 2
    assert "give ray" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "ray", None)
    assert lab.cli("run", "r.yaml", "--on", "ray") == 2
    assert "pip install -c constraints.txt -e '.[cluster]'" in capsys.readouterr().err
    mismatch = RuntimeError("Version mismatch: The cluster was started with:\n  Ray: 2.1")
    assert "Ray: 2.1" in str(ray_cluster._no_cluster("auto", mismatch))
