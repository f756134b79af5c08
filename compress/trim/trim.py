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
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import TrimError
from compress.trim import config_ids, pieces, tokenizer_parts, weight_rows
from compress.trim.prior import expected, scores_or_refuse
from compress.trim.registry import kind_of
from compress.trim.split_report import SAMPLE, Sample, Split, compare, table
from compress.trim.vocabulary_kind import VocabularyKind
from evalsuite import tokenization
from evalsuite.inference.checkpoint_config import max_length_of, model_config
from evalsuite.opening.tokenizer import tokenizer_json
from transfer.models import cards
from transfer.models.sentence_files import complete_sentence_files, copy_sentence_files
from transfer.models.write_tokenizer import write_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

RECORD = "trim.json"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a language uses and keeps, by the text that was counted."""

    used: int  # pieces that occur
    kept: int  # of these
    occurrences: int
    covered: int  # of these, occurrences of kept pieces
    wanted: bool  # the vocabulary was cut to this language's text too
    split: Split  # of some of the text, before and after

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

    def least(self) -> tuple[str, Coverage]:
        """The language the vocabulary was cut to that keeps the smallest share."""
        wanted = {code: own for code, own in self.languages.items() if own.wanted}
        return min(wanted.items(), key=lambda item: item[1].percent)

    def lost(self) -> list[tuple[str, Coverage]]:
        """The other languages, from the one whose sentences are split anew most."""
        others = [(code, own) for code, own in self.languages.items() if not own.wanted]
        return sorted(others, key=lambda item: (item[1].split.alike_percent, item[0]))


def trim(
    directory: Path,
    out: Path,
    text: Mapping[str, Iterable[str]],
    *,
    coverage: float = 1.0,
    min_count: int = 1,
    most: int | None = None,
    prior: float = 0.0,
    others: Mapping[str, Iterable[str]] | None = None,
) -> Trimmed:
    """Write the checkpoint with the pieces that `text` needs to `out`.

    Next to it `trim.json` records which old id each new one is, so that
    `compress.trim.restore` can put the rows back, and the table of languages, which the
    card has too.

    Args:
        text: language -> lines of it; each is read once.
        coverage: share of the occurrences of each language that is kept, the most frequent first.
        min_count: pieces rarer than that in a language are not kept for its sake.
        most: pieces at most, without those that only others are made of (BPE); None for any number.
        prior: weight of the tokenizer's own scores of pieces next to the counts, 0 to 1
            (`compress.trim.prior`). Which pieces are the most frequent ones is decided with both.
        others: lines of languages that are not kept, to count what they lose.

    Raises:
        TrimError: the tokenizer is of a kind that cannot be cut, or has no scores and `prior` is
            above 0; the directory is an adapter, the weights do not fit the tokenizer, or there is
            no text.
        PickleRefusedError: the weights are a pickle.
    """
    config, weights = weight_rows.load(directory)
    raw = tokenizer_json(directory)
    tokenizer = tokenization.load(directory)
    kind, tree = kind_of(tokenizer), tokenizer_parts.read(raw, tokenizer)
    scores = _scores(kind, tree) if prior > 0 else {}
    samples = {code: Sample() for code in (*text, *(others or ()))}
    keep: set[int] = set()

    def count(code: str, lines: Iterable[str]) -> tuple[Counter[int], Counter[str]]:
        def with_unknown(line: str) -> None:
            if code in text:
                keep.update(kind.deciding(tokenizer, tree["model"], line))

        return pieces.count(tokenizer, samples[code].watch(lines), with_unknown)

    counted = {code: count(code, lines) for code, lines in text.items()}
    if empty := [code for code, (own, _) in counted.items() if not own]:
        raise TrimError(f"no text of {', '.join(empty)}; a vocabulary is cut to text")
    written: set[str] = set()
    for _, characters in counted.values():
        written |= pieces.scripts(characters)
    counts = {code: own for code, (own, _) in counted.items()}
    keep |= pieces.always(kind, tree, written) | config_ids.needed(directory)
    likely = _likely(counts, scores, prior, min_count) if prior > 0 else counts
    keep = _kept(likely, keep, coverage, 0 if prior > 0 else min_count, most)
    keep |= kind.parts(tree["model"], keep)
    small, old = tokenizer_parts.cut(kind, tree, keep)
    rebuilt, rows = _write(directory, out, config, weights, small, old)
    counts |= {code: count(code, lines)[0] for code, lines in (others or {}).items()}
    kept = set(old)
    languages = {
        code: _coverage(own, kept, code in text, compare(tokenizer, rebuilt, samples[code].lines))
        for code, own in counts.items()
    }
    trimmed = Trimmed(tokenizer.get_vocab_size(), len(old), languages)
    _write_card(directory, out, trimmed)
    record = {
        "format": 1,
        "tokenizer_before": hashlib.sha256(raw.encode()).hexdigest(),
        "pieces_before": tokenizer.get_vocab_size(),
        "old_ids": rows,
        "languages": {code: asdict(own) for code, own in languages.items()},
    }
    (out / RECORD).write_text(json.dumps(record), encoding="utf-8")
    return trimmed


def _scores(kind: VocabularyKind, tree: Mapping[str, Any]) -> dict[int, float]:
    """Log probabilities of the pieces that text decides over.

    Special ones are kept whatever the text is, and their scores are no probabilities.
    """
    special = kind.fixed(tree["model"]) | tokenizer_parts.named_ids(tree)
    scores = scores_or_refuse(kind.scores(tree["model"]))
    return {piece: score for piece, score in scores.items() if piece not in special}


def _likely(
    counts: Mapping[str, Counter[int]], scores: Mapping[int, float], prior: float, min_count: int
) -> dict[str, dict[int, float]]:
    """The share of each piece in each language, by counts and scores.

    Rare pieces have none, nor have those without a score.
    """
    return {
        code: expected(
            {piece: n for piece, n in own.items() if n >= min_count and piece in scores},
            scores,
            prior,
        )
        for code, own in counts.items()
    }


def _kept(
    counts: Mapping[str, Mapping[int, float]],
    always: set[int],
    coverage: float,
    min_count: int,
    most: int | None,
) -> set[int]:
    """Pieces that are kept: those no text decides over, and of the others what there is room for.

    Raises:
        TrimError: `most` is less than the former.
    """
    if most is None:
        return pieces.choose(counts, coverage=coverage, min_count=min_count) | always
    if most < len(always):
        raise TrimError(
            f"max_pieces: {most:,} is too few; special tokens and the letters of the text are "
            f"{len(always):,}"
        )
    others = {
        code: {piece: times for piece, times in own.items() if piece not in always}
        for code, own in counts.items()
    }
    room = most - len(always)
    return pieces.choose(others, coverage=coverage, min_count=min_count, most=room) | always


def _write(
    directory: Path,
    out: Path,
    config: dict[str, Any],
    weights: dict[str, Tensor],
    tokenizer: dict[str, Any],
    old: list[int],
) -> tuple[Tokenizer, list[int]]:
    """The cut tokenizer, and the rows that were kept: of all pieces, and those of the config."""
    import torch
    from tokenizers import Tokenizer

    size, names = config["vocab_size"], weight_rows.names(weights, config, directory)
    if max(old) >= size:
        raise TrimError(
            f"{directory}: its tokenizer has ids up to {max(old):,}, its config.json {size:,} "
            "pieces"
        )
    rows, ids = config_ids.renumber(directory, old, size)
    chosen = torch.tensor(rows)
    for name in names:
        weights[name] = weights[name].index_select(0, chosen)
    weight_rows.save(out, config | {"vocab_size": len(rows)} | ids, weights)
    rebuilt = Tokenizer.from_str(json.dumps(tokenizer))
    write_tokenizer(rebuilt, directory, out, max_length_of(model_config(directory)))
    copy_sentence_files(directory, out)
    complete_sentence_files(out)
    return rebuilt, rows


def _write_card(directory: Path, out: Path, trimmed: Trimmed) -> None:
    facts = [
        f"vocabulary of {directory.name} cut from {trimmed.before:,} to {trimmed.after:,} pieces"
    ]
    text = (
        f"\n## Languages\n\nBy the text that was counted; splits by up to {SAMPLE:,} sentences of "
        "it. In languages that were not kept the model is worse the more of them is split anew.\n\n"
        f"{table(trimmed.languages).markdown()}\n"
    )
    card = cards.card("Trimmed checkpoint", facts) + text
    (out / "README.md").write_text(card, encoding="utf-8")


def _coverage(own: Counter[int], kept: set[int], wanted: bool, split: Split) -> Coverage:
    covered = {id: times for id, times in own.items() if id in kept}
    return Coverage(len(own), len(covered), own.total(), sum(covered.values()), wanted, split)
