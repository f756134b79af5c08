"""Sentence vectors as a checkpoint declares them: prefix, pooling, length 1.

>>> embed = SentenceEmbedder(Path("e5-small"), prefix="query: ")
>>> embed(["Das Haus ist rot."]).shape
(1, 384)

The declaration is that of the sentence-transformers library: `1_Pooling/config.json`, and
`prompts` with `default_prompt_name` in `config_sentence_transformers.json`. Without one, the mean
over the tokens of the last layer is taken, without a prefix. Vectors have length 1 in any case.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.evaluation import absolute_layer
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.retrieval.embedding import Embedder
from evalsuite.retrieval.sentences import Pooling

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor

MODULES = "modules.json"
POOLING = "1_Pooling/config.json"
PROMPTS = "config_sentence_transformers.json"
LONGEST = "sentence_bert_config.json"
FILES = (MODULES, POOLING, PROMPTS, LONGEST)  # of a declaration; each may be absent
_MODULES = ("Transformer", "Pooling", "Normalize")
_POOLINGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "mean": "mean",
    "cls": "cls",
}


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """What a checkpoint declares of its sentence vectors.

    Attributes:
        prefix: put before each text.
        longest: tokens that a text is cut at; None where the model's positions decide.
    """

    pooling: Pooling = "mean"
    prefix: str = ""
    longest: int | None = None


class OneText:
    """The text of a row: a sentence."""

    columns = (("text",), ("sentence",))
    least = most = 1

    def split(self, line: str) -> list[str]:
        """The whole line; tabs are spaces of it."""
        return [line]

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """Kept as `text`."""
        return {"text": texts[0]}


class SentenceEmbedder:
    """A model that turns sentences into vectors.

    Args:
        prefix: put before each text; default what the model declares.
        layer: negative counts from the last; default the last.
        alone: each sentence is a batch by itself.
        predictor: the model, where it is open already.

    Attributes:
        width: of a vector.
        session: the open model.

    Raises:
        ModelError: the model cannot be opened, or declares vectors that are made in another way.
    """

    def __init__(
        self,
        directory: Path,
        prefix: str | None = None,
        layer: int | None = None,
        *,
        alone: bool = False,
        predictor: Predictor | None = None,
    ) -> None:
        declared = declared_by(directory)
        predictor = predictor or open_model(directory)
        self.prefix = declared.prefix if prefix is None else prefix
        self._longest = declared.longest
        layer = absolute_layer(predictor.layers, -1 if layer is None else layer)
        self.session = Session(predictor, 1 if alone else None)
        self._embed = Embedder(self.session, layer, declared.pooling)
        self.width = int(self(["a"]).shape[1])

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        """`[sentences, width]`, float32, each of length 1."""
        return self.counted(sentences)[0]

    def counted(self, sentences: Sequence[str]) -> tuple[np.ndarray, list[int]]:
        """The same, and how many tokens each sentence has, prefix and special ones included."""
        import numpy as np

        texts = [self.prefix + text for text in sentences]
        vectors, tokens = self._embed.counted(texts, self._longest)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32), tokens


def declared_by(directory: Path) -> SentenceModel:
    """What the files of the sentence-transformers library in a directory declare.

    Raises:
        ModelError: they are damaged, or declare what is not supported.
    """
    for module in _read(directory / MODULES) or ():
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind not in _MODULES:
            raise ModelError(
                f"{directory}: its vectors go through a {kind or 'nameless'} module, which is not "
                f"supported; supported: {', '.join(_MODULES)}"
            )
    pooling = _read(directory / POOLING) or {"pooling_mode": "mean"}
    modes = [
        name for name, on in pooling.items() if name.startswith("pooling_mode_") and on is True
    ]
    if isinstance(pooling.get("pooling_mode"), str):
        modes = [pooling["pooling_mode"]]
    if len(modes) != 1 or modes[0] not in _POOLINGS:
        raise ModelError(
            f"{directory}: its pooling is {', '.join(modes) or 'not declared'}; supported: mean, "
            "cls"
        )
    prompts = _read(directory / PROMPTS) or {}
    named = (prompts.get("prompts") or {}).get(prompts.get("default_prompt_name") or "", "")
    longest = (_read(directory / LONGEST) or {}).get("max_seq_length")
    return SentenceModel(
        _POOLINGS[modes[0]], str(named), longest if isinstance(longest, int) else None
    )


def _read(path: Path) -> Any:
    """A JSON file; None where it is absent.

    Raises:
        ModelError: it is not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error}; copy the checkpoint again") from None
