"""Masked text: the share of pairs is the one asked for, and English alone is all English."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from evalsuite import tokenization
from evalsuite.errors import DataError
from evalsuite.task import DataSource
from transfer.encoded_rows import masked_text
from transfer.encoded_rows.masked_text import MaskedText, draw, encode


def drawn(base: Path, sizes: dict[int, int], tlm: float) -> tuple[masked_text.Sequences, list[int]]:
    """A thousand rows drawn from so many pairs of each language."""
    pairs = [(code, f"foreign {i}", f"en {i}") for code, n in sizes.items() for i in range(n)]
    found = encode(tokenization.load(base), pairs, tlm, max_length=32, seed=1)
    return found, draw(found, tlm, alpha=0.3, count=1000, seed=1)


@pytest.mark.parametrize("languages", [1, 3, 15])
@pytest.mark.parametrize("tlm", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_tlm_is_the_share_of_pairs_that_is_trained_on(
    tiny_base: Path, languages: int, tlm: float
) -> None:
    found, indices = drawn(tiny_base, dict.fromkeys(range(languages), 60), tlm)
    separators = [found.ids[index].count(2) for index in indices]
    assert sum(count > 1 for count in separators) == 1000 * tlm
    assert len(indices) == 1000 and all(index < len(found.ids) for index in indices)
    if 0 < tlm < 1:  # mixed, and not one after the other
        half = sum(index < found.pairs for index in indices[:500]) / 500
        assert half == pytest.approx(tlm, abs=0.1)


def test_languages_of_pairs_are_drawn_with_the_exponent(tiny_base: Path) -> None:
    found, indices = drawn(tiny_base, {0: 20, 1: 640}, tlm=0.5)
    two = Counter(found.language[index] for index in indices if index < found.pairs)
    assert two[1] / two[0] == pytest.approx(32**0.3, rel=0.25)
    one = Counter(found.language[index] for index in indices if index >= found.pairs)
    assert set(one) == {0, 1, 2}  # English is the last one


@pytest.fixture
def corpus(tmp_path: Path) -> DataSource:
    """Two pairs of one language, sixty of another, which share an English side, and English."""
    place = tmp_path / "corpus"
    files = {
        "parallel/af.tsv": "A first line.\tEerste.\tx\nA second line.\tTweede.\tx\n",
        "parallel/de.tsv": "A first line.\tErste.\tx\n"
        + "".join(f"Line number {i}.\tZeile {i}.\tx\n" for i in range(59)),
        "mono/en.txt": "Text in English alone.\n",
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    (tmp_path / "xtreme").mkdir()
    return DataSource("xtreme", tmp_path / "xtreme")


@pytest.mark.parametrize(("most", "kept"), [(20_000, 62), (None, 62), (10, 10)])
def test_english_alone_is_that_of_all_languages_each_line_once(
    corpus: DataSource, most: int | None, kept: int
) -> None:
    lines = masked_text._english(corpus, most)
    assert len(lines) == len(set(lines)) == kept
    assert lines[:3] == ["A first line.", "A second line.", "Line number 0."]
    assert ("Text in English alone." in lines) == (kept == 62)


def test_english_alone_gives_as_many_rows_as_asked(tiny_base: Path, corpus: DataSource) -> None:
    how = MaskedText(share=1.0, languages=("en",))
    rows = masked_text.load(corpus, tiny_base, how, max_length=40, count=200, seed=1)
    tokenizer = tokenization.load(tiny_base)
    assert len(rows.ids) == 200
    assert [*tokenizer.encode("Text in English alone.").ids] in rows.ids


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("languages", "tlm"), [(("af",), 0.0), (("de",), 0.0), (("de",), 0.5)])
def test_without_english_every_single_line_is_foreign(
    languages: tuple[str, ...], tlm: float, seed: int, tiny_base: Path, corpus: DataSource
) -> None:
    how = MaskedText(share=1.0, languages=languages, tlm=tlm, lines=1 if "af" in languages else 60)
    rows = masked_text.load(corpus, tiny_base, how, max_length=40, count=120, seed=seed)
    tokenizer = tokenization.load(tiny_base)
    foreign = ["Eerste."] if "af" in languages else ["Erste.", *(f"Zeile {i}." for i in range(59))]
    single = [ids for ids in rows.ids if ids.count(2) == 1]
    assert len(rows.ids) == 120 and len(single) == 120 * (1 - tlm)
    wanted = {tuple(tokenizer.encode(line).ids) for line in foreign}
    assert {tuple(ids) for ids in single} == wanted  # and none is left out


def test_a_language_of_evaluation_text_alone_brings_no_english(
    tiny_base: Path, corpus: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = masked_text.parallel_text.read(corpus, ["de"])
    apart = replace(read, languages=("de", "sw", "en"))
    monkeypatch.setattr(masked_text.parallel_text, "read", lambda *args, **named: apart)
    how = MaskedText(share=1.0, languages=("de", "sw"))
    rows = masked_text.load(corpus, tiny_base, how, max_length=40, count=100, seed=1)
    tokenizer = tokenization.load(tiny_base)
    foreign = [tokenizer.encode(pair[1]).ids for pair in read.pairs]
    assert all(ids in foreign for ids in rows.ids)


def test_a_corpus_without_english_is_refused(corpus: DataSource, tmp_path: Path) -> None:
    for path in tmp_path.glob("corpus/*/*"):
        path.unlink()
    with pytest.raises(DataError, match=r"mlm_languages: en: the corpus has no English text.*add"):
        masked_text._english(corpus, None)
