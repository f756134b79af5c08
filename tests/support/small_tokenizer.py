"""The tokenizer of small test checkpoints: Unigram, 32,000 pieces of 44 languages."""

from __future__ import annotations

from pathlib import Path

TOKENIZER = Path(__file__).resolve().parents[1] / "data" / "small-tokenizer"
