"""What many tests start from is made once: tiny models on disk, traced graphs in the process.

>>> folder = made_once("tiny", lambda out: out.mkdir())
>>> folder.name
'tiny'

A folder is kept under `.pytest_cache/made_once`, in a folder named by a digest of the packages'
source, of what makes it, and of the libraries' versions: a change to any of them makes it anew.
The two workers of `make test` share it. Tests read these folders and never write in them.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".pytest_cache" / "made_once"
PACKAGES = ("evalsuite", "transfer", "compress", "recipes")
LIBRARIES = (
    "bitsandbytes",
    "nncf",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "openvino",
    "peft",
    "tokenizers",
    "torch",
    "transformers",
)
DIGESTS_KEPT = 3


@cache
def source_digest() -> str:
    """Of all that a model made here depends on."""
    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    files = [ROOT / "tests" / "conftest.py", *(ROOT / "tests" / "support").rglob("*.py")]
    for package in PACKAGES:
        files += (p for p in (ROOT / package).rglob("*") if p.suffix in (".py", ".json"))
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` writes, from an earlier run where nothing has changed since.

    Args:
        make: called with a path where nothing is; writes a folder there.
    """
    here = KEPT / source_digest()
    here.mkdir(parents=True, exist_ok=True)
    folder = here / name
    with FileLock(here / f"{name}.lock"):
        if not folder.is_dir():
            unfinished = here / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
            _drop_old_digests()
    return folder


def _drop_old_digests() -> None:
    ages = sorted(KEPT.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in ages[:-DIGESTS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def trace_once(patch: pytest.MonkeyPatch) -> None:
    """Let exports of one model share its traced graph: tracing is most of what an export takes.

    Each export gets a copy, so that none sees what another did to the graph.
    """
    from compress.export import graph
    from compress.export.registry import graph_exporter
    from compress.export.trace import Traced

    trace = vars(graph)["trace"]
    traces: dict[str, Traced] = {}

    def traced(model: Any, runtime: str, *, choices: bool, precision: str, whole: bool) -> Traced:
        _, settings = graph_exporter(runtime).tracer(precision, {})  # few precisions change it
        key = f"{_model_digest(model)} {runtime} {settings} {choices} {whole}"
        if key not in traces:
            traces[key] = trace(model, runtime, choices=choices, precision=precision, whole=whole)
        copied: Traced = _copied(traces[key])
        return copied

    patch.setattr(graph, "trace", traced)


def _model_digest(model: Any) -> str:
    """Of a torch model's modules, configuration and weights."""
    import torch

    digest = hashlib.sha256(f"{model} {model.training} {model.config.to_json_string()}".encode())
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _copied(traced: Any) -> Any:
    exported = copy.copy(traced.exported)
    exported.components = {
        name: dataclasses.replace(part, program=part.program.clone())
        for name, part in exported.components.items()
    }
    return dataclasses.replace(traced, exported=exported)
