"""The shared cache on a real S3 server: moto's, on the loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from demo_recipe import RECIPE

from recipes.execution.run_options import RunOptions
from recipes.execution.shared_cache import SharedCache, SharedCacheError
from recipes.run import run_recipe

server = pytest.importorskip(
    "moto.server",
    reason="moto's S3 server is not installed: see CONTRIBUTING.md",
    exc_type=ImportError,
)
pytest.importorskip("s3fs", reason="s3fs is not installed: see CONTRIBUTING.md")

pytestmark = pytest.mark.slow

KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server with the bucket `stages`; credentials and address in the environment."""
    started = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            patch.setenv(name, value)
        import boto3

        boto3.client("s3").create_bucket(Bucket="stages")
        yield url
    started.stop()


def run(lab: Any, machine: str, address: str, *overrides: str) -> list[str]:
    """Labels that were made."""
    outcome = run_recipe(
        lab.write(RECIPE),
        overrides=overrides,
        workspace=lab.folder / machine,
        options=RunOptions(cache=address),
    )
    return [stage.label for stage in outcome.stages if not stage.cached]


def objects(prefix: str) -> dict[str, int]:
    import boto3

    found = boto3.client("s3").list_objects_v2(Bucket="stages", Prefix=prefix)
    return {item["Key"]: item["Size"] for item in found.get("Contents", [])}


def test_a_second_machine_makes_nothing(lab: Any, endpoint: str) -> None:
    address = "s3://stages/first"
    assert run(lab, "one", address) == ["teacher", "fused", "scores", "report"]
    assert run(lab, "two", address) == []
    assert run(lab, "three", address, "fused.weight=2") == ["fused", "scores", "report"]


def test_a_cut_object_is_not_used_and_is_put_right(lab: Any, endpoint: str) -> None:
    import boto3

    address = "s3://stages/cut"
    run(lab, "one", address)
    (name,) = [key for key in objects("cut/files/fuse-") if key.endswith("model.safetensors")]
    boto3.client("s3").put_object(Bucket="stages", Key=name, Body=b"w")
    assert run(lab, "two", address) == ["fused"]
    assert run(lab, "three", address) == []


def test_a_killed_upload_shows_nothing(
    lab: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "s3://stages/killed"
    outcome = run_recipe(lab.write(RECIPE), workspace=lab.folder / "one")
    path = next(stage.path for stage in outcome.stages if stage.label == "fused")
    store = SharedCache(address)
    store.require()
    put, sent = store.files.put_file, []

    def dies(source: str, target: str) -> None:
        if sent:
            raise KeyboardInterrupt
        sent.append(target)
        put(source, target)

    monkeypatch.setattr(store.files, "put_file", dies)
    with pytest.raises(KeyboardInterrupt):
        store.push(path, path.name)
    monkeypatch.undo()
    assert len(objects("killed/files/")) == 1 and not objects("killed/stages/")
    assert store.stored(path.name) is None
    assert store.push(path, path.name) is not None


@pytest.mark.parametrize(
    ("address", "said"),
    [("s3://absent/x", "bucket does not exist"), ("s3://", "cannot be opened")],
)
def test_a_bucket_that_is_not_there(endpoint: str, address: str, said: str) -> None:
    with pytest.raises(SharedCacheError, match=said):
        SharedCache(address).require()


def test_no_network_is_said_within_seconds(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SharedCacheError, match="cannot be opened: Could not connect"):
        SharedCache("s3://stages/nowhere").require()
    s3fs.S3FileSystem.clear_instance_cache()  # it keeps the address


def test_prune_leaves_what_runs_name(lab: Any, endpoint: str, tmp_path: Path) -> None:
    from datetime import timedelta

    from recipes.execution.cached_stages import in_shared, prune_shared

    address = "s3://stages/prune"
    run(lab, "one", address, "fused.weight=2")
    run(lab, "one", address)
    gone = prune_shared(SharedCache(address), timedelta(0), dry_run=False)
    assert sorted(stage.label for stage in gone) == ["fused", "report", "scores"]
    assert len(in_shared(SharedCache(address))) == 4
    assert len({key.split("/")[2] for key in objects("prune/files/")}) == 4
    assert run(lab, "two", address) == []
    assert os.environ["AWS_ENDPOINT_URL"] == endpoint
