"""What a shared cache has stays right when a run is stopped, a copy is cut, or a disk is full."""

from __future__ import annotations

import errno
import os
import time
from datetime import timedelta

import pytest
from demo_recipe import RECIPE

from recipes.errors import WorkspaceError
from recipes.execution import work_snapshots
from recipes.execution.cache import Cache
from recipes.execution.cached_stages import prune_shared
from recipes.execution.copy_stages import push_run
from recipes.execution.display import Display
from recipes.execution.run_options import RunOptions
from recipes.execution.shared_cache import SharedCache
from recipes.execution.shared_stages import SharedStages
from recipes.execution.stage_runner import Maker
from recipes.execution.workspace import Workspace
from recipes.run import run_recipe


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


def run(lab, shared, machine="one", **options):
    """Labels of the stages that were made."""
    found = run_recipe(
        lab.write(RECIPE),
        workspace=lab.folder / machine,
        options=RunOptions(cache=str(shared), **options),
    )
    return [stage.label for stage in found.stages if not stage.cached], found


def test_from_counts_after_it_was_stopped(lab, shared, monkeypatch):
    run(lab, shared)
    with monkeypatch.context() as patch:
        patch.setattr(Maker, "_make", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            run(lab, shared, from_stage="teacher")

    made, _ = run(lab, shared)  # as the message advises, without --from

    assert made == ["teacher", "fused", "scores", "report"]
    assert run(lab, shared)[0] == []


def test_push_replaces_other_files_of_a_stage(lab, shared):
    _, first = run(lab, shared)
    _, second = run(lab, lab.folder / "elsewhere", "two")
    here = second.stages[0].path
    stage = first.stages[0]
    assert here.name == stage.path.name
    (here / "weights").write_bytes(b"others")
    cache = Cache(Workspace(lab.folder / "two"))
    with cache.attempt(stage.kind, stage.record.key) as attempt:
        (attempt.out / "weights").write_bytes(b"others")
        cache.publish(attempt, stage.record)

    assert push_run("demo", lab.folder / "two", str(shared)).stages >= 1

    stored = SharedCache(str(shared)).stored(here.name)
    assert stored is not None and list(stored.manifest.files) == ["weights"]


def test_prune_keeps_the_mark_of_a_long_run(lab, shared):
    run(lab, shared)
    mark = shared / work_snapshots.FOLDER / f"{work_snapshots.SEEN}1"
    mark.parent.mkdir()
    for days, there in ((2, True), (31, False)):
        mark.touch()
        os.utime(mark, (time.time() - days * 86_400,) * 2)
        prune_shared(SharedCache(str(shared)), timedelta(days=30), dry_run=False)
        assert mark.exists() == there


def test_half_a_file_of_a_killed_copy_is_sent_again(tmp_path):
    store, work = SharedCache(str(tmp_path / "shared")), tmp_path / "work"
    work.mkdir()
    (work / "state").write_bytes(b"of batch 5")
    snapshots = work_snapshots.WorkSnapshots(Cache(Workspace(tmp_path / "here")), store)
    entry = work_snapshots.FileEntry(bytes=10, sha256=work_snapshots.sha256_file(work / "state"))
    cut = tmp_path / "shared" / work_snapshots.FOLDER / "train-1" / entry.sha256
    cut.parent.mkdir(parents=True)
    cut.write_bytes(b"of ba")

    snapshots._send("train-1", work, work_snapshots._state(work), 3.0)

    assert cut.read_bytes() == b"of batch 5"


def test_a_full_disk_here_is_no_fault_of_the_cache(lab, shared, monkeypatch):
    run(lab, shared)
    opened = SharedCache(str(shared))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(type(opened.files), "get_file", full)
        with pytest.raises(WorkspaceError, match=r"the disk of .*two is full"):
            run(lab, shared, "two")

    assert run(lab, shared, "two")[0] == []  # the cache has them all


def test_hidden_files_of_another_program_stop_nothing(lab, shared):
    run(lab, shared)
    (shared / "work").mkdir()
    places = [shared / name / ".DS_Store" for name in ("stages", "files", "runs", "work")]
    for path in places:
        path.write_bytes(b"0")
        os.utime(path, (0, 0))
    assert prune_shared(SharedCache(str(shared)), timedelta(), dry_run=False) == []
    assert all(path.is_file() for path in places)


def test_one_damaged_manifest_stops_neither_plan_nor_pull(lab, shared, capsys):
    _, found = run(lab, shared)
    name = found.stages[1].path.name
    (shared / "stages" / f"{name}.json").write_text("{}")
    where = ("--workspace", str(lab.folder / "two"), "--cache", str(shared))

    assert lab.cli("plan", "r.yaml", *where) == 0
    assert lab.cli("cache", "pull", "r.yaml", *where) == 2

    said = capsys.readouterr()
    assert "3 stages copied" in said.out
    assert f"fused: {shared}: stages/{name}.json is damaged" in said.err
    assert "lingopress run makes them here, and puts the cache right" in said.err


def test_a_cache_has_the_same_address_in_every_folder(lab, shared):
    space = Workspace(lab.folder / "one", "../shared")
    assert space.shared == str(lab.folder / ".." / "shared")
    assert Workspace(None, "s3://bucket/folder").shared == "s3://bucket/folder"
    assert Workspace(None, "").shared is None


def test_what_a_node_finds_damaged_is_copied_there_again(lab, shared):
    _, found = run(lab, shared)
    stage = found.stages[0]
    stored = SharedCache(str(shared)).stored(stage.path.name)
    assert stored is not None
    (file, *_) = stored.manifest.files
    path = shared / "files" / stage.path.name / stored.folder / file
    path.write_bytes(bytes(path.stat().st_size))  # of the same size
    space = Workspace(lab.folder / "node", str(shared))
    space.prepare()
    there = SharedStages(Cache(space), Display())

    assert not there.pull(stage.kind, stage.record.key, "teacher")
    there.remove_damaged(stage.kind, stage.record.key)

    assert SharedCache(str(shared)).push(stage.path, stage.path.name) is not None
    assert there.pull(stage.kind, stage.record.key, "teacher")
