"""The files of a bundle apart from its model: the card, the README and the digest of every file.

A bundle is checked by `sha256sum -c SHA256SUMS` in its directory. `bundle.json`, the card, has the
size of each file of the model and tokenizer; sizes are compared when the bundle is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalsuite.file_digest import sha256_file
from evalsuite.inference.checkpoint_config import Answers
from evalsuite.inference.open_model import BUNDLE_FILE
from evalsuite.machine.model_size import GRAPHS
from evalsuite.retrieval.declared_vectors import SentenceModel

SUMS = "SHA256SUMS"
README = "README.md"


@dataclass(frozen=True, slots=True)
class BundleCard:
    """What `bundle.json` says of a bundle.

    Attributes:
        file: the file that the runtime opens.
        head: `pair`, `tagging`, `span` or `choice`, None for an encoder; not written, `labels`
            imply it.
        answers: what the head gives per row (`evalsuite.inference.checkpoint_config.answers_of`);
            written where it is not one label.
        padding: id and name of the padding token; not written, `config.json` has the id.
        layers: number of hidden layers.
        max_length: longest input in tokens.
        architecture: such as `xlm-roberta 12x768`.
        made_from: what the checkpoint was made from, oldest first.
        heads: attention heads per layer, where silent ones were removed.
        last_layer: `first-token` where the last layer computes the first token alone.
        keep_tokens: layer, counted from 1 -> percent of each text's tokens that are left after it.
        lost_alone: part of the model -> percent of labels lost when it alone is quantized, where
            that was measured.
        excluded: parts that stay in fp32.
        embeddings: form of the word embeddings, where it is not what the precision implies.
        layout: where the files lie, if not as the exporter writes them.
        vectors: how the vectors of an encoder are made, for the examples of the README; not
            written.
    """

    runtime: str
    file: str
    precision: str
    head: str | None
    labels: tuple[str, ...]
    layers: int
    max_length: int
    architecture: str
    parameters: int
    embedding_parameters: int
    made_from: tuple[str, ...] = ()
    answers: Answers = "label"
    padding: tuple[int, str] = (1, "<pad>")
    heads: Sequence[int] | None = None
    last_layer: str | None = None
    keep_tokens: Mapping[int, int] | None = None
    lost_alone: Mapping[str, float] | None = None
    excluded: tuple[str, ...] | None = None
    embeddings: str | None = None
    layout: str | None = None
    vectors: SentenceModel = field(default_factory=SentenceModel)

    def as_json(self) -> dict[str, Any]:
        """The entries of `bundle.json` but `bytes`, in its order; what is None is left out."""
        optional = {
            "answers": None if self.answers == "label" else self.answers,
            "heads": self.heads,
            "made_from": list(self.made_from),
            "last_layer": self.last_layer,
            "keep_tokens": self.keep_tokens,
            "lost_alone": self.lost_alone,
            "excluded": None if self.excluded is None else list(self.excluded),
            "embeddings": self.embeddings,
            "layout": self.layout,
        }
        return {
            "format": 1,
            "runtime": self.runtime,
            "file": self.file,
            "precision": self.precision,
            "labels": list(self.labels),
            "layers": self.layers,
            "max_length": self.max_length,
            "architecture": self.architecture,
            "parameters": self.parameters,
            "embedding_parameters": self.embedding_parameters,
        } | {name: value for name, value in optional.items() if value is not None}


def write_config(config: Mapping[str, Any], out: Path) -> None:
    """Write `config.json` whole, so that a machine without transformers can read it."""
    text = json.dumps(config, indent=2, ensure_ascii=False)
    (out / "config.json").write_text(text + "\n", encoding="utf-8")


def write_card(out: Path, card: Mapping[str, Any]) -> None:
    """Write `bundle.json`, with the sizes of the files in `out`.

    Args:
        card: as `BundleCard.as_json` gives it.
    """
    apart = (BUNDLE_FILE, README, SUMS)
    inside = sorted(path for name in GRAPHS for path in (out / name).glob("*"))
    sizes = {
        path.relative_to(out).as_posix(): path.stat().st_size
        for path in (*sorted(out.iterdir()), *inside)
        if path.is_file() and path.name not in apart
    }
    text = json.dumps({**card, "bytes": sizes}, indent=2, ensure_ascii=False)
    (out / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")


def seal(out: Path, card: BundleCard, readme: str) -> None:
    """Write the README and the card, and last the digests of all files."""
    (out / README).write_text(readme, encoding="utf-8")
    write_card(out, card.as_json())
    lines = [
        f"{sha256_file(path)}  {path.relative_to(out).as_posix()}\n"
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != SUMS
    ]
    (out / SUMS).write_text("".join(lines), encoding="utf-8")


def licence_of(checkpoint: Path) -> str | None:
    """The licence that the front matter of a checkpoint's README names, or None."""
    try:
        text = (checkpoint / README).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    front = text.split("---\n")[1] if text.startswith("---\n") else ""
    named = [
        line.partition(":")[2].strip() for line in front.splitlines() if line.startswith("license:")
    ]
    return named[0] if named and named[0] else None
