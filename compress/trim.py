"""Cut a checkpoint's vocabulary to what the text of some languages needs.

>>> trimmed = trim(Path("student"), Path("out"), {"en": english_lines, "sw": swahili_lines})
>>> trimmed.before, trimmed.after
(250002, 61034)

In XLM-R base 71% of the parameters are word embeddings, most of them of languages a deployment
never meets (Abdaoui et al. 2020, "Load What You Need"). The tokenizer is rewritten, rows of the
word embeddings and of a tied output layer are cut out of the file, everything else is copied as it
is; text whose pieces are all kept gets the very same outputs. Before fine-tuning or after it, with
any head.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress import pieces, rows
from compress.errors import TrimError
from evalsuite import tokenization
from evalsuite.runtimes import max_length_of
from transfer import cards, vocabulary

if TYPE_CHECKING:
    from torch import Tensor

RECORD = "trim.json"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a language uses and keeps, by the text that was counted."""

    used: int  # pieces that occur
    kept: int  # of these
    occurrences: int
    covered: int  # of these, occurrences of kept pieces

    @property
    def percent(self) -> float:
        """Share of occurrences that are kept."""
        return 100.0 * self.covered / self.occurrences if self.occurrences else 100.0


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What a trim did: pieces before and after, and what each language keeps."""

    before: int
    after: int
    languages: dict[str, Coverage]


def trim(
    directory: Path,
    out: Path,
    text: Mapping[str, Iterable[str]],
    *,
    coverage: float = 1.0,
    min_count: int = 1,
    others: Mapping[str, Iterable[str]] | None = None,
) -> Trimmed:
    """Write the checkpoint with the pieces that `text` needs to `out`.

    Beside it `trim.json` records which old id each new one is, so that
    `compress.restore` can put the rows back, and the table of languages.

    Args:
        text: language -> lines of it; each is read once.
        coverage: share of the occurrences of each language that is kept, the most frequent first.
        min_count: pieces rarer than that in a language are not kept for its sake.
        others: lines of languages that are not kept, to count what they lose.

    Raises:
        TrimError: the tokenizer is not a unigram model, the directory is an adapter, the weights do
            not fit the tokenizer, or there is no text.
        PickleRefusedError: the weights are a pickle.
    """
    config, weights = rows.load(directory)
    raw = (directory / "tokenizer.json").read_bytes()
    tree = json.loads(raw)
    pieces.pieces_of(tree)
    tokenizer = tokenization.load(directory)
    counted = {code: pieces.count(tokenizer, lines) for code, lines in text.items()}
    if empty := [code for code, (own, _) in counted.items() if not own]:
        raise TrimError(f"no text of {', '.join(empty)}; a vocabulary is cut to text")
    written: set[str] = set()
    for _, characters in counted.values():
        written |= pieces.scripts(characters)
    counts = {code: own for code, (own, _) in counted.items()}
    keep = pieces.choose(counts, coverage=coverage, min_count=min_count)
    keep |= pieces.always(tree, written)
    small, old = pieces.cut(tree, keep)
    _write(directory, out, config, weights, small, old)
    counts |= {code: pieces.count(tokenizer, lines)[0] for code, lines in (others or {}).items()}
    languages = {code: _coverage(own, set(old)) for code, own in counts.items()}
    record = {
        "format": 1,
        "tokenizer_before": hashlib.sha256(raw).hexdigest(),
        "pieces_before": tokenizer.get_vocab_size(),
        "old_ids": old,
        "languages": {code: asdict(own) for code, own in languages.items()},
    }
    (out / RECORD).write_text(json.dumps(record), encoding="utf-8")
    return Trimmed(tokenizer.get_vocab_size(), len(old), languages)


def _write(
    directory: Path,
    out: Path,
    config: dict[str, Any],
    weights: dict[str, Tensor],
    tokenizer: dict[str, Any],
    old: list[int],
) -> None:
    import torch
    from tokenizers import Tokenizer

    size, names = config["vocab_size"], rows.names(weights, config, directory)
    if old[-1] >= size:
        raise TrimError(
            f"{directory}: its tokenizer has ids up to {old[-1]:,}, its config.json {size:,} pieces"
        )
    chosen = torch.tensor(old)
    for name in names:
        weights[name] = weights[name].index_select(0, chosen)
    rows.save(out, config | {"vocab_size": len(old)} | renumbered(config, old), weights)
    rebuilt = Tokenizer.from_str(json.dumps(tokenizer))
    vocabulary.save(rebuilt, out, max_length_of(config))
    facts = [f"vocabulary of {directory.name} cut from {size:,} to {len(old):,} pieces"]
    (out / "README.md").write_text(cards.card("Trimmed checkpoint", facts), encoding="utf-8")


def renumbered(config: Mapping[str, Any], old: Sequence[int]) -> dict[str, int]:
    """The special tokens' new ids, where a config names old ones."""
    new = {id: number for number, id in enumerate(old)}
    return {
        key: new[value]
        for key, value in config.items()
        if key.endswith("_token_id") and isinstance(value, int) and value in new
    }


def _coverage(own: Counter[int], kept: set[int]) -> Coverage:
    covered = {id: times for id, times in own.items() if id in kept}
    return Coverage(len(own), len(covered), own.total(), sum(covered.values()))
