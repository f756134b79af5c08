"""Which objectives of `extend` read pairs of sentences, and which read a stream of lines.

>>> readers(("en", "sw"), ("de", "en"), mlm=0.1, lines=0.2, english=0.0)
{'mlm': ('en', 'sw'), 'lines': ('en',), 'english': ()}
"""

from __future__ import annotations

from collections.abc import Collection

from evalsuite.languages import SOURCE_LANGUAGE, is_among


def readers(
    languages: Collection[str], known: Collection[str], *, mlm: float, lines: float, english: float
) -> dict[str, tuple[str, ...]]:
    """Languages of a stream that each objective reads; a region of a language is that language.

    Args:
        known: languages of the second teacher; none where there is no teacher.
        mlm, lines, english: shares of masked language modelling, of the second teacher's embeddings
            of lines, and of sentence distillation on English lines.
    """
    return {
        "mlm": tuple(languages) if mlm > 0 else (),
        "lines": tuple(code for code in languages if is_among(code, known)) if lines > 0 else (),
        "english": tuple(filter(is_english, languages)) if english > 0 else (),
    }


def is_english(code: str) -> bool:
    """Whether a code is that of English, of any region."""
    return is_among(code, (SOURCE_LANGUAGE,))


def needs_pairs(
    languages: Collection[str] | None,
    *,
    sentences: float,
    english: float,
    tlm: float,
    lexical: bool,
) -> bool:
    """Whether something is learnt from sentence pairs.

    Args:
        languages: of the stream; without one the pairs are all the text there is.
        english: share of the distilled sentences that are English.
        lexical: whether embeddings start from translations.
    """
    if languages is None or tlm > 0 or lexical:
        return True
    return sentences > 0 and not (any(map(is_english, languages)) and english == 1)
