"""What many tests start from is made once: tiny models and traced graphs, on disk.

>>> folder = made_once("tiny", lambda out: out.mkdir())
>>> folder.name
'tiny'

A folder is kept under `.pytest_cache/made_once`, in a folder named by a digest of the packages'
source, of what makes it, and of the libraries' versions: a change to any of them makes it anew.
The two workers of `make test` share it. Tests read these folders and never write in them.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

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
