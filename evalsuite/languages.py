"""Languages: what their two-letter codes stand for.

>>> get("sw")
Language(name='Swahili', script='Latin', iso3='swh')

`iso3` is the code LASER's Tatoeba files carry, which names the individual language where ISO
639-3 also has a macrolanguage (`swh` and not `swa`, `pes` and not `fas`), with its exceptions
(`ara`, `aze`, `est`), after `lang3_dict` in XTREME's `utils_preprocess.py` (google-research/xtreme
at 0918248). LASER publishes no Tatoeba file for gu, ht, my, pa, qu, wo, yo; their codes are
plain ISO 639-3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from evalsuite.errors import UnknownNameError
from evalsuite.guess.language_names import NAMES, OTHER_NAMES
from evalsuite.iso_codes import TO_TWO_LETTERS, is_usual_script

_SCRIPT = 4  # letters in the code of a script: Latn, Cyrl, Hant

_CODE = re.compile(r"[a-z]{2,3}(?=[-_]|$)(?:[-_](?:[a-z0-9]{2,8}|[a-z0-9](?=[-_])))*")
_RETIRED = frozenset(("bh", "in", "iw", "ji", "jw", "mo", "sh"))  # which files still have

SOURCE_LANGUAGE = "en"  # models are tuned on it, and the other languages are zero-shot


class Language(NamedTuple):
    """English name, script as Unicode names it, and the three-letter code of LASER's files."""

    name: str
    script: str
    iso3: str


LANGUAGES: dict[str, Language] = {
    "af": Language("Afrikaans", "Latin", "afr"),
    "am": Language("Amharic", "Ethiopic", "amh"),
    "ar": Language("Arabic", "Arabic", "ara"),
    "az": Language("Azerbaijani", "Latin", "aze"),
    "bg": Language("Bulgarian", "Cyrillic", "bul"),
    "bn": Language("Bengali", "Bengali", "ben"),
    "cs": Language("Czech", "Latin", "ces"),
    "da": Language("Danish", "Latin", "dan"),
    "de": Language("German", "Latin", "deu"),
    "el": Language("Greek", "Greek", "ell"),
    "en": Language("English", "Latin", "eng"),
    "es": Language("Spanish", "Latin", "spa"),
    "et": Language("Estonian", "Latin", "est"),
    "eu": Language("Basque", "Latin", "eus"),
    "fa": Language("Persian", "Arabic", "pes"),
    "fi": Language("Finnish", "Latin", "fin"),
    "fr": Language("French", "Latin", "fra"),
    "gu": Language("Gujarati", "Gujarati", "guj"),
    "he": Language("Hebrew", "Hebrew", "heb"),
    "hi": Language("Hindi", "Devanagari", "hin"),
    "ht": Language("Haitian Creole", "Latin", "hat"),
    "hu": Language("Hungarian", "Latin", "hun"),
    "id": Language("Indonesian", "Latin", "ind"),
    "it": Language("Italian", "Latin", "ita"),
    "ja": Language("Japanese", "Han and Kana", "jpn"),
    "jv": Language("Javanese", "Latin", "jav"),
    "ka": Language("Georgian", "Georgian", "kat"),
    "kk": Language("Kazakh", "Cyrillic", "kaz"),
    "ko": Language("Korean", "Hangul", "kor"),
    "lt": Language("Lithuanian", "Latin", "lit"),
    "ml": Language("Malayalam", "Malayalam", "mal"),
    "mr": Language("Marathi", "Devanagari", "mar"),
    "ms": Language("Malay", "Latin", "zsm"),
    "my": Language("Burmese", "Myanmar", "mya"),
    "nl": Language("Dutch", "Latin", "nld"),
    "pa": Language("Punjabi", "Gurmukhi", "pan"),
    "pl": Language("Polish", "Latin", "pol"),
    "pt": Language("Portuguese", "Latin", "por"),
    "qu": Language("Quechua", "Latin", "que"),
    "ro": Language("Romanian", "Latin", "ron"),
    "ru": Language("Russian", "Cyrillic", "rus"),
    "sv": Language("Swedish", "Latin", "swe"),
    "sw": Language("Swahili", "Latin", "swh"),
    "ta": Language("Tamil", "Tamil", "tam"),
    "te": Language("Telugu", "Telugu", "tel"),
    "th": Language("Thai", "Thai", "tha"),
    "tl": Language("Tagalog", "Latin", "tgl"),
    "tr": Language("Turkish", "Latin", "tur"),
    "uk": Language("Ukrainian", "Cyrillic", "ukr"),
    "ur": Language("Urdu", "Arabic", "urd"),
    "vi": Language("Vietnamese", "Latin", "vie"),
    "wo": Language("Wolof", "Latin", "wol"),
    "yo": Language("Yoruba", "Latin", "yor"),
    "zh": Language("Chinese", "Han", "cmn"),
}


def get(code: str) -> Language:
    """What is known of one language.

    Raises:
        UnknownNameError: no language of that code is listed.
    """
    if code not in LANGUAGES:
        raise UnknownNameError("language", code, LANGUAGES)
    return LANGUAGES[code]


def wrong_code(written: str) -> str:
    """What is wrong with the code of a language; empty where nothing is.

    Codes of two letters are known; of three any may be one.

    >>> wrong_code("pt-BR"), wrong_code("xx"), wrong_code("German")
    ('', "'xx' is no language code such as de or pt-BR", "'German' is ...; write de")
    """
    code = written.lower()
    language = re.split("[-_]", code)[0]
    if _CODE.fullmatch(code) and (len(language) == 3 or language in {*NAMES, *_RETIRED}):
        return ""
    by_name = {name.lower(): own for own, name in NAMES.items()} | OTHER_NAMES
    near = f"; write {by_name[code]}" if code in by_name else ""
    return f"{written!r} is no language code such as de or pt-BR{near}"


@lru_cache(maxsize=4096)
def without_region(code: str) -> str:
    """The code of the language alone, in small letters; a script stays where it is not the usual.

    Codes of three letters become those of two where there is one.

    >>> without_region("pt-BR"), without_region("sr-Latn-RS"), without_region("zh_TW")
    ('pt', 'sr-latn', 'zh')
    >>> without_region("eng_Latn"), without_region("en-Latn-US")
    ('en', 'en')
    """
    first, *rest = re.split("[-_]", code.lower())
    first = TO_TWO_LETTERS.get(first, first)
    scripts = (part for part in rest if len(part) == _SCRIPT and part.isalpha())
    return "-".join([first, *(part for part in scripts if not is_usual_script(first, part))])


def is_among(code: str, languages: Iterable[str]) -> bool:
    """Whether a language is one of several, in its region or another, however its code is written.

    >>> is_among("pt-BR", ["pt", "zh"]), is_among("por_Latn", ["pt"]), is_among("sw", ["pt", "zh"])
    (True, True, False)
    """
    return without_region(code) in map(without_region, languages)


def same_language(code: str, codes: Iterable[str]) -> list[str]:
    """A language among the codes; where it is not there, those of its regions.

    >>> same_language("en", ["de", "en-GB", "en-US"]), same_language("en", ["en", "en-GB"])
    (['en-GB', 'en-US'], ['en'])
    """
    codes = list(codes)
    return [code] if code in codes else [other for other in codes if is_among(other, [code])]


def is_zero_shot(code: str, seen: Iterable[str]) -> bool:
    """Whether none of the languages with training rows is this one, in its region or another.

    >>> is_zero_shot("en-GB", ["en"]), is_zero_shot("eng_Latn", ["en"]), is_zero_shot("de", ["en"])
    (False, False, True)
    """
    return not is_among(code, seen)
