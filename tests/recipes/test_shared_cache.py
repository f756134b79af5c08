"""A cache that machines share: a stage is there whole or not at all, whatever goes wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from demo_recipe import RECIPE

from recipes.errors import RecipesError
from recipes.execution import cached_stages
from recipes.execution.cached_stages import in_shared, prune_shared, prune_workspace
from recipes.execution.display import Display
from recipes.execution.run_options import RunOptions
from recipes.execution.shared_cache import MARKER, SharedCache, SharedCacheError, Stored
from recipes.execution.workspace import Workspace
from recipes.run import run_recipe

ALL = ["teacher", "fused", "scores", "report"]


class News(Display):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


def run(lab, shared, machine, *overrides, jobs=1):
    """Labels that were made on a machine, the outcome, and what was said."""
    news = News()
    outcome = run_recipe(
        lab.write(RECIPE),
        overrides=overrides,
        workspace=lab.folder / machine,
        options=RunOptions(jobs=jobs, cache=str(shared)),
        progress=news,
    )
    return [stage.label for stage in outcome.stages if not stage.cached], outcome, news.said


def stage_file(shared: Path, kind: str) -> Path:
    """The manifest of the only stage of a kind."""
    (found,) = (shared / "stages").glob(f"{kind}-*.json")
    return found


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_second_machine_makes_nothing(lab, shared):
    made, first, _ = run(lab, shared, "one")
    assert made == ALL
    made, second, said = run(lab, shared, "two")
    assert made == []
    assert said == [f"{label}: copied from the shared cache" for label in ALL]
    for one, two in zip(first.stages, second.stages, strict=True):
        assert one.path != two.path
        assert content(one.path) == content(two.path)
    assert run(lab, shared, "two")[2] == []  # it has them now


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_from_makes_again_what_the_shared_cache_has(lab, shared, jobs):
    run(lab, shared, "one")
    command = ("run", lab.write(RECIPE), "--from", "fused", "--cache", str(shared))
    before = stage_file(shared, "fuse").read_bytes()
    script = lab.start(*command, "--workspace", "two", "--jobs", str(jobs))
    out, err = script.communicate(timeout=120)
    assert script.returncode == 0, out + err
    copied = [line for line in (out + err).splitlines() if "copied from the shared cache" in line]
    assert [line.split(":")[0] for line in copied] == ["teacher"]
    assert stage_file(shared, "fuse").read_bytes() != before  # a new folder of files


def test_only_what_changed_is_made(lab, shared):
    run(lab, shared, "one")
    assert run(lab, shared, "two", "fused.weight=2")[0] == ["fused", "scores", "report"]
    assert run(lab, shared, "one", "fused.weight=2")[0] == []


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _change(path: Path, key: str, value: object) -> None:
    stored = json.loads(path.read_text())
    stored[key] = value
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize("harm", [_cut, _flip, Path.unlink], ids=["cut", "flipped", "gone"])
def test_a_damaged_file_is_not_used_and_is_put_right(lab, shared, harm):
    run(lab, shared, "one")
    (file,) = (shared / "files").glob("fuse-*/*/deep/model.safetensors")
    harm(file)
    made, _, said = run(lab, shared, "two")
    assert made == ["fused"]
    assert any(text.startswith("fused: ") and "it is made here" in text for text in said)
    assert not list((lab.folder / "two" / "partial").iterdir())
    assert run(lab, shared, "three")[0] == []


@pytest.mark.parametrize(
    "harm",
    [
        _cut,
        lambda path: path.write_text("[]"),
        lambda path: _change(path, "folder", "../../elsewhere"),
        lambda path: _change(path, "manifest", None),
    ],
    ids=["cut", "list", "outside", "null"],
)
def test_a_damaged_manifest_is_not_used_and_is_put_right(lab, shared, harm):
    run(lab, shared, "one")
    harm(stage_file(shared, "fuse"))
    made, _, said = run(lab, shared, "two")
    assert made == ["fused"]
    assert any("is damaged; it is made here" in text for text in said)
    assert run(lab, shared, "three")[0] == []


def test_no_file_is_written_outside(lab, shared, tmp_path):
    run(lab, shared, "one")
    path = stage_file(shared, "fuse")
    stored = Stored.model_validate_json(path.read_bytes())
    files = {"../../outside.json": stored.manifest.files["config.json"]}
    bad = stored.manifest.model_copy(update={"files": files}).sealed()
    path.write_text(stored.model_copy(update={"manifest": bad}).model_dump_json())
    with pytest.raises(SharedCacheError, match="is damaged"):
        SharedCache(str(shared)).pull(path.stem, tmp_path / "out")
    assert not list(tmp_path.rglob("outside.json"))


def test_a_stage_of_another_key_is_refused(lab, shared, tmp_path):
    run(lab, shared, "one")
    path = stage_file(shared, "fuse")
    other = path.with_name("fuse-" + "0" * 20 + ".json")
    path.rename(other)
    with pytest.raises(SharedCacheError, match="is damaged"):
        SharedCache(str(shared)).pull(other.stem, tmp_path / "out")


def test_a_killed_upload_shows_nothing(lab, shared, monkeypatch):
    _, outcome, _ = run(lab, shared, "one")
    path = next(stage.path for stage in outcome.stages if stage.label == "fused")
    empty = SharedCache(str(shared.with_name("empty")))
    empty.require()
    sent = []

    def put(source, target):
        sent.append(target)
        if len(sent) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(empty.files, "put_file", put)
    with pytest.raises(KeyboardInterrupt):
        empty.push(path, path.name)
    assert empty.stored(path.name) is None
    monkeypatch.undo()
    assert empty.push(path, path.name) is not None  # in a new folder
    assert empty.push(path, path.name) is None


def test_two_writers_leave_one_whole_stage(lab, shared, tmp_path, monkeypatch):
    _, outcome, _ = run(lab, shared, "one")
    path = next(stage.path for stage in outcome.stages if stage.label == "fused")
    first, second = (SharedCache(str(tmp_path / "both")) for _ in range(2))
    put = first.files.put_file
    raced = []

    def late(source, target):
        put(source, target)
        if not raced:
            raced.append(target)
            assert second.push(path, path.name) is not None

    monkeypatch.setattr(first.files, "put_file", late)
    assert first.push(path, path.name) is not None
    (out := tmp_path / "out").mkdir()
    assert second.pull(path.name, out)
    assert content(out) == content(path)


def test_a_store_that_fails_later_stops_no_run(lab, shared, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    SharedCache(str(shared)).require()
    files = SharedCache(str(shared)).files
    monkeypatch.setattr(type(files), "put_file", refuse)
    made, _, said = run(lab, shared, "one")
    assert made == ALL
    assert sum("cannot be written: Permission denied; it is kept here only" in s for s in said) == 4


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nosuch://bucket", "nosuch"),
        ("file.txt/below", "cannot be opened: Not a directory"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_first(lab, address, said):
    (lab.folder / "file.txt").write_text("")
    with pytest.raises(RecipesError, match=said):
        run(lab, address, "one")
    assert not (lab.folder / "one" / "stages").exists()  # digests of files at most


def test_a_wrong_recipe_is_said_before_the_address_is_tried(lab, shared):
    wrong = lab.write(RECIPE.replace("stage: fuse", "stage: fuze"))
    with pytest.raises(RecipesError, match="fuze"):
        run_recipe(wrong, options=RunOptions(cache=str(shared)))
    assert not shared.exists()


def test_another_version_is_refused(lab, shared):
    shared.mkdir()
    (shared / MARKER).write_text('{"format": 99}')
    with pytest.raises(RecipesError, match="of another version of lingopress"):
        run(lab, shared, "one")


def test_prune_keeps_what_a_run_names_and_what_is_young(lab, shared):
    run(lab, shared, "one", "fused.weight=2")
    run(lab, shared, "one")  # the note of the run names these now
    store, space = SharedCache(str(shared)), Workspace(lab.folder / "one")
    now, month = timedelta(0), timedelta(days=30)
    assert prune_workspace(space, month, dry_run=False) == []
    assert prune_shared(store, month, dry_run=False) == []
    for prune, cache in ((prune_workspace, space), (prune_shared, store)):
        would = prune(cache, now, dry_run=True)  # type: ignore[operator]
        assert sorted(stage.label for stage in would) == ["fused", "report", "scores"]
        assert [s.name for s in prune(cache, now, dry_run=False)] == [s.name for s in would]  # type: ignore[operator]
        assert prune(cache, now, dry_run=False) == []  # type: ignore[operator]
    assert len(in_shared(store)) == 4 and all(stage.runs for stage in in_shared(store))
    assert len(list((shared / "files").iterdir())) == 4
    assert run(lab, shared, "one")[0] == run(lab, shared, "two")[0] == []


def test_the_variable_for_runs_does_not_decide_what_is_removed(lab, shared, monkeypatch, capsys):
    run(lab, shared, "one", "fused.weight=2")
    run(lab, shared, "one")
    monkeypatch.setenv("LINGOPRESS_CACHE", str(shared))
    before, store = len(in_shared(SharedCache(str(shared)))), SharedCache(str(shared))
    assert lab.cli("cache", "prune", "--keep", "0", "--workspace", str(lab.folder / "one")) == 0
    assert "3 stages, " in capsys.readouterr().out and len(in_shared(store)) == before == 7
    assert lab.cli("cache", "prune", "--keep", "0", "--cache", str(shared)) == 0
    assert "3 stages, " in capsys.readouterr().out and len(in_shared(store)) == 4


def test_prune_removes_old_uploads_without_a_manifest(lab, shared, monkeypatch):
    run(lab, shared, "one")
    left = shared / "files" / "train-killed" / "abc" / "model.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    store = SharedCache(str(shared))
    prune_shared(store, timedelta(0), dry_run=False)
    assert left.exists()  # it may be on its way
    monkeypatch.setattr(cached_stages, "UPLOAD_TIME", timedelta(0))
    prune_shared(store, timedelta(0), dry_run=False)
    assert not left.exists()
    assert run(lab, shared, "two")[0] == []


def test_a_note_that_a_kill_left_half_written_is_no_run(lab, shared):
    run(lab, shared, "one")
    (note,) = (shared / "runs").iterdir()
    (shared / "runs" / f".{note.name}-1a2b").write_text("{")
    assert len(list(SharedCache(str(shared)).runs())) == 1
    assert prune_shared(SharedCache(str(shared)), timedelta(0), dry_run=False) == []


def test_a_note_that_cannot_be_read_stops_prune(lab, shared):
    run(lab, shared, "one")
    (note,) = (shared / "runs").iterdir()
    note.write_text("{")
    with pytest.raises(SharedCacheError, match="is damaged"):
        prune_shared(SharedCache(str(shared)), timedelta(0), dry_run=False)
    assert len(list((shared / "stages").iterdir())) == 4


def test_a_lookup_lists_nothing(lab, shared, monkeypatch):
    run(lab, shared, "one")
    store = SharedCache(str(shared))

    def refuse(*arguments, **options):
        raise AssertionError("a folder was listed")

    for name in ("ls", "find", "glob", "walk"):
        monkeypatch.setattr(store.files, name, refuse)
    name = stage_file(shared, "fuse").stem
    assert store.stored(name) is not None
    assert store.stored("fuse-" + "0" * 20) is None


def test_the_commands(lab, shared, capsys):
    recipe = lab.write(RECIPE)
    address = ["--cache", str(shared)]
    assert lab.cli("run", recipe, "--quiet", *address) == 0
    capsys.readouterr()
    assert lab.cli("cache", "ls", *address) == 0
    listed = capsys.readouterr().out
    assert listed.splitlines()[0].split() == ["stage", "label", "size", "finished", "named", "by"]
    assert listed.splitlines()[-1].startswith("4 stages, ")
    assert lab.cli("cache", "ls") == 0
    assert capsys.readouterr().out.splitlines()[-1] == listed.splitlines()[-1]
    assert lab.cli("cache", "push", recipe, *address) == 0
    assert capsys.readouterr().out == "0 stages copied, 0 B, 4 were there already\n"
    assert lab.cli("cache", "pull", recipe, *address) == 0
    assert capsys.readouterr().out == "0 stages copied, 0 B, 4 were here already\n"
    assert lab.cli("cache", "prune", "--keep", "0", *address) == 0
    assert capsys.readouterr().out == "0 stages, 0 B removed\n"
    assert lab.cli("cache", "push", "nosuch.yaml", *address) == 2


@pytest.mark.slow
def test_with_jobs_workers_share_too(lab, shared):
    script = lab.start("run", lab.write(RECIPE), "--jobs", "2", "--cache", str(shared))
    out, err = script.communicate(timeout=120)
    assert script.returncode == 0, out + err
    assert run(lab, shared, "two")[0] == []
