"""A tokenizer that was parsed before is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tokenizers import Tokenizer

from evalsuite import tokenization
from evalsuite.bench.tokenizer_cost import LOADS, measure
from evalsuite.opening import parsed as module
from evalsuite.opening.parsed import KEPT, forget, parsed
from tests.support.small_tokenizer import TOKENIZER
from tests.support.tiny_tokenizers import byte_fallback, byte_level, specials_last, wordpiece

_LINES = ["the ships of the king", "a ship on the sea <mask>", "kings and seas"]


@pytest.fixture(autouse=True)
def _nothing_is_parsed() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.mark.parametrize("kind", [byte_fallback, byte_level, specials_last, wordpiece])
def test_a_copy_is_what_was_parsed(kind: Callable[..., Tokenizer]) -> None:
    text = kind(_LINES, 300).to_str()
    first, second = parsed(text), parsed(text)
    exact = Tokenizer.from_str(text)
    for line in (*_LINES, "[URL] <unused0>[MASK] \n\n x"):
        wanted = exact.encode(line, "a king")
        for copy in (first, second):
            found = copy.encode(line, "a king")
            assert (found.ids, found.tokens, found.offsets) == (
                wanted.ids,
                wanted.tokens,
                wanted.offsets,
            )
    assert first.to_str() == second.to_str() == exact.to_str()


def test_copies_have_a_truncation_of_their_own() -> None:
    first = tokenization.load(TOKENIZER)
    second = tokenization.load(TOKENIZER)
    first.enable_truncation(4)
    first.enable_padding(length=9)
    first.add_tokens(["<more>"])
    assert len(first.encode("one two three four five six").ids) == 9
    for other in (second, tokenization.load(TOKENIZER)):
        assert other.truncation is None
        assert other.padding is None
        assert other.token_to_id("<more>") is None
        assert len(other.encode("one two three four five six").ids) > 6


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are parsed from now on."""
    found: list[str] = []
    parse = module._parse

    def counting(text: str) -> Tokenizer:
        found.append(text)
        return parse(text)

    monkeypatch.setattr(module, "_parse", counting)
    return found


def test_the_last_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [wordpiece(_LINES, size).to_str() for size in (40, 50, 60)]
    count = counted(monkeypatch)
    for text in (*texts[:KEPT], *texts[:KEPT]):
        parsed(text)
    assert len(count) == KEPT
    parsed(texts[KEPT])  # the oldest goes
    parsed(texts[1])
    assert len(count) == KEPT + 1
    parsed(texts[0])
    assert len(count) == KEPT + 2


def test_what_opening_costs_is_measured_on_a_new_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    count = counted(monkeypatch)
    measure(TOKENIZER)
    assert len(count) == LOADS
