"""What a checkpoint declares of its sentence vectors, in the files of sentence-transformers.

>>> declared_by(Path("encoder")).prompts
{'query': 'query: ', 'passage': 'passage: '}

`1_Pooling/config.json` has the pooling; `config_sentence_transformers.json` has the prompts, the
name of the one that is used where none is asked for, and, a key of this toolkit, the numbers of
dimensions that a vector may be cut to. Without these files the mean over the tokens of the last
layer is taken, and no prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError
from evalsuite.retrieval.sentences import Pooling

MODULES = "modules.json"
POOLING = "1_Pooling/config.json"
PROMPTS = "config_sentence_transformers.json"
LONGEST = "sentence_bert_config.json"
FILES = (MODULES, POOLING, PROMPTS, LONGEST)  # of a declaration; each may be absent
DIMENSIONS = "matryoshka_dimensions"
PASSAGES = ("passage", "document", "corpus")  # names of the prompt of what is searched
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
        prefix: put before each text where no prompt is named.
        longest: tokens that a text is cut at; None where the model's positions decide.
        prompts: prefixes by name.
        dimensions: numbers of dimensions that a vector may be cut to.
        declared: whether the vectors of the last layer are what the model was trained for: it has
            prompts, be they none; the other files are written of every encoder.
    """

    pooling: Pooling = "mean"
    prefix: str = ""
    longest: int | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    dimensions: tuple[int, ...] = ()
    declared: bool = False

    @property
    def passage_prefix(self) -> str:
        """Put before what is searched; the prefix of all texts where none is declared."""
        return next((self.prompts[name] for name in PASSAGES if name in self.prompts), self.prefix)

    def prefixes(self, prefix: str | None, passage_prefix: str | None) -> tuple[str, str]:
        """What is put before texts, and before passages: as asked for, else as declared."""
        if passage_prefix is None:
            passage_prefix = self.passage_prefix if prefix is None else prefix
        return self.prefix if prefix is None else prefix, passage_prefix


def declared_by(directory: Path) -> SentenceModel:
    """What the files of the sentence-transformers library in a directory declare.

    Raises:
        ModelError: they are damaged, or declare what is not supported.
    """
    modules = _read(directory / MODULES, list) or []
    for module in modules:
        kind = str(module.get("type", "") if isinstance(module, dict) else "").rpartition(".")[2]
        if kind not in _MODULES:
            raise ModelError(
                f"{directory}: its vectors go through a {kind or 'nameless'} module, which is not "
                f"supported; supported: {', '.join(_MODULES)}"
            )
    prompts = _read(directory / PROMPTS, dict) or {}
    longest = (_read(directory / LONGEST, dict) or {}).get("max_seq_length")
    named = prompts.get("prompts")
    texts = {str(k): str(v) for k, v in named.items()} if isinstance(named, dict) else {}
    sizes = prompts.get(DIMENSIONS)
    return SentenceModel(
        _pooling(directory),
        texts.get(str(prompts.get("default_prompt_name")), ""),
        longest if isinstance(longest, int) else None,
        texts,
        tuple(n for n in sizes if isinstance(n, int)) if isinstance(sizes, list) else (),
        declared=(directory / PROMPTS).is_file(),
    )


def declares(directory: Path) -> bool:
    """Whether it is said for what vectors a model was trained, and they can be made here."""
    try:
        return declared_by(directory).declared
    except ModelError:
        return False


def prompt_of(directory: Path, declared: SentenceModel, name: str) -> str:
    """The prefix of a name that a checkpoint declares; `passage` has several usual names.

    Raises:
        ModelError: it declares none of this name.
    """
    names = PASSAGES if name in PASSAGES else (name,)
    found = next((declared.prompts[one] for one in names if one in declared.prompts), None)
    if found is None:
        have = ", ".join(map(repr, declared.prompts)) or "none"
        raise ModelError(
            f"{directory} declares no prompt {name!r} ({PROMPTS} has: {have}); give the text "
            "itself with --prefix"
        )
    return found


def _pooling(directory: Path) -> Pooling:
    pooling = _read(directory / POOLING, dict) or {"pooling_mode": "mean"}
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
    return _POOLINGS[modes[0]]


def _read(path: Path, kind: type) -> Any:
    """A JSON file; None where it is absent.

    Raises:
        ModelError: it is not JSON, or of another kind.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error}; copy the checkpoint again") from None
    if not isinstance(found, kind):
        shape = "an object" if kind is dict else "a list"
        raise ModelError(f"{path} is not {shape} of JSON; copy the checkpoint again")
    return found
