"""`lingopress push` of bundles, adapters and models for sentence-transformers.

Each cold, cut off, and to a repository that is there already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, snapshot_download
from safetensors.numpy import save_file

from compress.export import bundle
from tests.support.heads import bundle_card
from tests.support.loopback_hub import TOKEN, LoopbackHub
from tests.support.loopback_tree import LARGE

np = pytest.importorskip("numpy")
# of the client, about its own transport
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
README = "---\ntags: [lingopress]\n---\n# A model\n"
CARD = "---\ntags: [multilingual]\n---\n# Scores\n"


def _bundle(out: Path, runtime: str, files: tuple[str, ...]) -> None:
    (out / "config.json").write_text('{"model_type": "xlm-roberta"}')
    (out / "tokenizer.json").write_text("{}")
    for name in files:
        (out / name).write_bytes(name.encode() * 100)
    bundle.seal(out, bundle_card("tagging", "int8", runtime), README)


def onnx(out: Path) -> None:
    """A bundle for ONNX Runtime."""
    _bundle(out, "onnxruntime", ("model.onnx", "model.onnx.data"))


def openvino(out: Path) -> None:
    """A bundle for OpenVINO, whose weights end as pickles do."""
    _bundle(out, "openvino", ("openvino_model.xml", "openvino_model.bin"))


def sentences(out: Path) -> None:
    """An encoder with the files of sentence-transformers."""
    (out / "config.json").write_text('{"model_type": "xlm-roberta"}')
    (out / "modules.json").write_text("[]")
    (out / "1_Pooling").mkdir()
    (out / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (out / "README.md").write_text(README)
    for name in ("model.safetensors", "onnx.onnx"):
        save_file({name: np.zeros(9, np.float32)}, out / name)


def adapter(out: Path) -> None:
    """An adapter of a base on this machine."""
    config = {"base_model_name_or_path": str(out.parent), "peft_type": "LORA", "r": 8}
    (out / "adapter_config.json").write_text(json.dumps(config))
    for name in ("adapter_model.safetensors", "more.safetensors"):
        save_file({name: np.zeros(9, np.float32)}, out / name)


@pytest.mark.slow
@pytest.mark.parametrize("write", [onnx, openvino, sentences, adapter], ids=lambda w: w.__name__)
def test_cold_cut_off_and_again(
    write: Callable[[Path], None],
    hub: LoopbackHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from recipes.cli.app import main

    def push(*more: str) -> int:
        with pytest.raises(SystemExit) as left:
            main(["push", "model", "org/mine", "--card", "card.md", *more, *base])
        assert isinstance(left.value.code, int)
        return left.value.code

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("card.md").write_text(CARD)
    write(Path("model"))
    base: tuple[str, ...] = ()
    if write is adapter:
        assert push() == 2 and "push the base, and name where it is" in capsys.readouterr().err
        base = ("--base", "org/base")
    large = sum(path.name.endswith(LARGE) for path in Path("model").iterdir())
    hub.uploads.refuse_after = large - 1
    assert push() == 2 and "org/mine is not complete" in capsys.readouterr().err
    hub.uploads.refuse_after = None
    assert push() == 0, capsys.readouterr().err
    assert len(hub.uploads.received) == large > 0 and set(hub.uploads.received.values()) == {1}
    repository = hub.repositories["model", "org/mine"]
    commits = set(repository.commits)
    assert push() == 0 and set(repository.commits) == commits  # nothing new, no commit

    loaded = Path(snapshot_download("org/mine"))
    local = {p.relative_to("model").as_posix() for p in Path("model").rglob("*") if p.is_file()}
    there = {p.relative_to(loaded).as_posix() for p in loaded.rglob("*") if p.is_file()}
    assert there - {".gitattributes"} == local | {"README.md"}
    changed = {"README.md", "SHA256SUMS", "adapter_config.json"}
    for name in local - changed:
        assert (loaded / name).read_bytes() == Path("model", name).read_bytes()
    card = ModelCard((loaded / "README.md").read_text())
    assert "multilingual" in card.data.tags and "# Scores" in card.text
    if (loaded / "SHA256SUMS").is_file():
        lines = (loaded / "SHA256SUMS").read_text().splitlines()
        assert len(lines) == len(local) - 1
        for line in lines:
            digest, name = line.split("  ", 1)
            assert hashlib.sha256((loaded / name).read_bytes()).hexdigest() == digest, name
    if write is adapter:
        config = json.loads((loaded / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == card.data.base_model == "org/base"
        assert config["r"] == 8 and str(tmp_path) not in (loaded / "README.md").read_text()
