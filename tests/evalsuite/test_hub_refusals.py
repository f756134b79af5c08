"""What the hub refuses, breaks off or damages: one message per cause, for each kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from evalsuite.data.hub import rows
from evalsuite.errors import DataError, EvalsuiteError, ModelError, OfflineError
from evalsuite.opening.hub import HubId
from evalsuite.task import HubSource
from tests.support.hub_layouts import serve_data_set
from tests.support.loopback_hub import TOKEN, LoopbackHub

Kind = Literal["model", "dataset"]
NAME = "org/name"
COMMIT = "5" * 40
XNLI = HubSource("facebook/xnli", "b8dd5d7af51114dbda02c0e3f6133f332186418e")
LARGE = {"model": "model.safetensors", "dataset": "sw/validation-00000-of-00001.parquet"}
COMMITS: dict[Kind, str] = {"model": COMMIT, "dataset": XNLI.revision}
KINDS = pytest.mark.parametrize("kind", ["model", "dataset"])


def serve(hub: LoopbackHub, kind: Kind) -> None:
    if kind == "model":
        hub.add("model", NAME, {"config.json": b"{}", "model.safetensors": b"weights" * 9}, COMMIT)
    else:
        serve_data_set(hub, XNLI, "sw")


def read(kind: Kind) -> object:
    if kind == "model":
        return HubId(NAME, COMMIT).download()
    return list(rows(XNLI, "sw", "validation"))


def what(kind: Kind) -> str:
    return (
        f"model {NAME}@555555555555" if kind == "model" else "data set facebook/xnli@b8dd5d7af511"
    )


def refused(kind: Kind) -> EvalsuiteError:
    with pytest.raises(EvalsuiteError) as caught:
        read(kind)
    text = str(caught.value)
    assert "Traceback" not in text and len(text) < 900 and text.count("\n") <= 7
    return caught.value


def _private(hub: LoopbackHub) -> None:
    for repository in hub.repositories.values():
        repository.private = True


def _gated(hub: LoopbackHub) -> None:
    for repository in hub.repositories.values():
        repository.gated = True


def _moved(hub: LoopbackHub) -> None:
    for repository in hub.repositories.values():
        (files,) = repository.commits.values()
        repository.commits = {"7" * 40: files}
        repository.branches = {"main": "7" * 40}


def _failing(status: int) -> Callable[[LoopbackHub], None]:
    return lambda hub: setattr(hub, "status", status)


def _cut(hub: LoopbackHub) -> None:
    hub.always_cut = dict.fromkeys(LARGE.values(), 0)


@KINDS
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda hub: hub.repositories.clear(), ("the hub has no", "HTTP 401", "check the name")),
        (_private, ("the hub has no", "or it is private", "hf auth login")),
        (_gated, ("is gated", "HTTP 401", "accept its terms at http://127.0.0.1")),
        (_moved, ("and no revision", "it was moved or deleted", "commits/main")),
        (_failing(429), ("HTTP 429", "it says to wait 1 s", "later")),
        (_failing(503), ("HTTP 503", "later")),
        (_cut, ("was cut off", "run the same command again")),
    ],
    ids=["missing", "private", "gated", "moved", "limit", "failing", "cut"],
)
def test_each_cause_has_its_message(
    hub: LoopbackHub, kind: Kind, harm: Callable[[LoopbackHub], None], said: tuple[str, ...]
) -> None:
    serve(hub, kind)
    harm(hub)
    error = refused(kind)
    text = str(error)
    assert (COMMITS[kind] if harm is _moved else what(kind)) in text
    for part in said:
        assert part in text
    network = "HTTP 429" in text or "HTTP 503" in text or "cut off" in text
    assert isinstance(error, OfflineError) == network
    assert network or isinstance(error, ModelError if kind == "model" else DataError)
    assert not network or ("source: xtreme" if kind == "dataset" else "model: ./directory") in text


@KINDS
def test_an_account_opens_what_is_private(
    hub: LoopbackHub, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(hub, kind)
    _private(hub)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert read(kind)
    hub.repositories.clear()
    assert read(kind)  # a commit does not change
    monkeypatch.setenv("HF_TOKEN", "hf_other")


@KINDS
def test_a_download_goes_on_where_it_was_cut(
    hub: LoopbackHub, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 5)
    serve(hub, kind)
    hub.cuts[LARGE[kind]] = [10, 20]
    assert read(kind)
    (repository,) = hub.repositories.values()
    (files,) = repository.commits.values()
    assert hub.sent[LARGE[kind]] == len(files[LARGE[kind]])  # each byte once
    assert sum(f"/{LARGE[kind]}" in line and "/large/" in line for line in hub.asked) == 3


@pytest.mark.slow
@KINDS
def test_a_damaged_file_is_deleted_and_comes_again(hub: LoopbackHub, kind: Kind) -> None:
    serve(hub, kind)
    (repository,) = hub.repositories.values()
    (files,) = repository.commits.values()
    content = files[LARGE[kind]]
    at = content.index(b"\1\0\0\0a") + 4 if kind == "dataset" else 5  # still a file that opens
    hub.damaged[LARGE[kind]] = content[:at] + b"z" + content[at + 1 :]
    error = refused(kind)
    assert f"the {what(kind)} came damaged: {LARGE[kind]} does not have the digest" in str(error)
    hub.damaged.clear()
    assert read(kind)


@KINDS
def test_without_a_network_the_cache_is_read_or_the_remedy_said(
    hub: LoopbackHub, kind: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(hub, kind)
    online = read(kind)
    hub.serve(monkeypatch, tmp_path / "home", offline=True)
    asked = len(hub.asked)
    assert read(kind) == online
    hub.serve(monkeypatch, tmp_path / "empty", offline=True)
    error = refused(kind)
    assert f"the {what(kind)} is not on this machine, and HF_HUB_OFFLINE is set" in str(error)
    assert len(hub.asked) == asked and isinstance(error, OfflineError)


def test_a_hub_that_is_not_there(hub: LoopbackHub) -> None:
    hub.close()
    error = refused("dataset")
    assert "and the hub cannot be reached (" in str(error) and "HF_HOME" in str(error)


def test_rows_of_another_commit_are_not_taken(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`datasets` gives the commit it has where it cannot have the one it was asked for."""
    other = HubSource(XNLI.repo, "7" * 40)
    serve_data_set(hub, other, "sw")
    assert list(rows(other, "sw", "validation"))
    hub.serve(monkeypatch, tmp_path / "home", offline=True)
    assert "is not on this machine" in str(refused("dataset"))


def test_a_script_of_a_data_set_is_not_run(hub: LoopbackHub) -> None:
    hub.add("dataset", XNLI.repo, {"README.md": b"", "xnli.py": b"raise SystemExit"}, XNLI.revision)
    error = refused("dataset")
    assert "comes with a script that loads it (xnli.py)" in str(error)
    assert "refs/convert/parquet" in str(error)


def test_a_model_comes_without_what_is_not_read(hub: LoopbackHub) -> None:
    names = ("config.json", "pytorch_model.bin", "onnx/model.onnx", "modeling.py", "tokenizer.json")
    hub.add("model", NAME, dict.fromkeys(names, b"{}"), COMMIT)
    found = HubId(NAME).download()
    assert sorted(path.name for path in found.iterdir()) == ["config.json", "tokenizer.json"]
    assert found.name == COMMIT


def test_a_model_without_a_configuration_is_no_checkpoint(hub: LoopbackHub) -> None:
    hub.add("model", NAME, {"adapter_config.json": b"{}"}, COMMIT)
    with pytest.raises(ModelError) as caught:
        HubId(NAME).fetch_config()
    assert str(caught.value) == (
        f"the hub has the model {NAME}, but no config.json in it\n"
        "name a checkpoint of transformers; the files of this one are listed at "
        f"{hub.url}/{NAME}/tree/main"
    )
    with pytest.raises(ModelError, match=f"the model {NAME}@555555555555, but no config.json"):
        HubId(NAME, COMMIT).fetch_config()
