"""What a bundle directory holds beside its graph: its card, and the digest of every file.

A bundle is checked by `sha256sum -c SHA256SUMS` in its directory. `bundle.json` has the size of
each file of the model and tokenizer, which is looked at when the bundle is opened.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from compress.export import bundle_readme
from evalsuite.agreement.outputs import Parity
from evalsuite.inference.open_model import BUNDLE_FILE

SUMS = "SHA256SUMS"
CARD = "README.md"


def write_card(out: Path, card: dict[str, Any]) -> None:
    """`bundle.json`, with the sizes of the files that are there."""
    apart = (BUNDLE_FILE, CARD, SUMS)
    sizes = {
        path.name: path.stat().st_size
        for path in sorted(out.iterdir())
        if path.is_file() and path.name not in apart
    }
    text = json.dumps(card | {"bytes": sizes}, indent=2, ensure_ascii=False)
    (out / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")


def seal(out: Path, card: dict[str, Any], parity: Parity | None, checkpoint: Path) -> None:
    """Write the README, then the sums of all files, last."""
    text = bundle_readme.readme(card, parity, licence_of(checkpoint))
    (out / CARD).write_text(text, encoding="utf-8")
    write_card(out, card)
    lines = [
        f"{_sha256(path)}  {path.name}\n"
        for path in sorted(out.iterdir())
        if path.is_file() and path.name != SUMS
    ]
    (out / SUMS).write_text("".join(lines), encoding="utf-8")


def licence_of(checkpoint: Path) -> str | None:
    """The licence a checkpoint's own card names in its front matter, or None."""
    try:
        text = (checkpoint / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    front = text.split("---\n")[1] if text.startswith("---\n") else ""
    named = [
        line.partition(":")[2].strip() for line in front.splitlines() if line.startswith("license:")
    ]
    return named[0] if named and named[0] else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
