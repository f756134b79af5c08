"""Model cards: what a checkpoint is and how plain transformers or peft opens it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsuite.static.kind import MODEL_TYPE

_AUTO = {
    "adapter": (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForSequenceClassification  # or ForTokenClassification\n"
        "base = AutoModelForSequenceClassification.from_pretrained(BASE, LABELS)\n"
        'model = PeftModel.from_pretrained(base, "THIS DIRECTORY")\n'
    ),
    "checkpoint": (
        "from transformers import AutoModel, AutoTokenizer  # or AutoModelFor...\n"
        'model = AutoModel.from_pretrained("THIS DIRECTORY")\n'
        'tokenizer = AutoTokenizer.from_pretrained("THIS DIRECTORY")\n'
    ),
    "static": (
        "import lingopress  # transformers has no class for static models\n"
        'model = lingopress.open("THIS DIRECTORY")  # .predict, or .embed of an encoder\n'
    ),
}


def card(
    title: str, lines: Sequence[str], kind: str = "checkpoint", labels: Sequence[str] = ()
) -> str:
    """A README.md with hub front matter; a prompt is opened as an adapter is.

    Args:
        kind: what `kind_of` gives, of checkpoints.
        labels: of an adapter's head, in its order; its base may have them in another one.
    """
    kind = "adapter" if kind == "prompt" else kind
    body = "\n".join(f"- {line}" for line in lines)
    library = {"adapter": "peft", "static": "lingopress"}.get(kind, "transformers")
    named = f"id2label={dict(enumerate(labels))}" if labels else "num_labels=LABELS"
    code = _AUTO[kind].replace("LABELS", named)
    return (
        f"---\nlibrary_name: {library}\ntags: [multilingual, lingopress]\n---\n"
        f"# {title}\n\n{body}\n\n```python\n{code}```\n"
    )


def kind_of(config: Any) -> str:
    """Of a checkpoint with this config of transformers: `checkpoint`, or `static`."""
    return "static" if config.model_type == MODEL_TYPE else "checkpoint"


def trained(
    tasks: Sequence[str],
    method: str,
    precision: str,
    base: Path,
    kind: str,
    labels: Sequence[str] = (),
) -> str:
    """The card of a trained checkpoint or adapter."""
    return card(
        f"{method} on {', '.join(tasks)}",
        [
            f"trained on: {', '.join(tasks)}",
            f"method: {method}, base held in {precision}",
            f"base: {base.name}",
        ],
        kind,
        labels,
    )
