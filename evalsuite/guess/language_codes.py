"""Language codes and names, as file names, folder names and columns write them.

>>> language_of("de"), language_of("deu_Latn"), language_of("German"), language_of("pt-br")
('de', 'de', 'de', 'pt-BR')
>>> language_of("DE"), language_of_value("DE")
(None, 'de')
>>> language_of("ceb"), language_of_part("ceb")
(None, 'ceb')
"""

from __future__ import annotations

import re

from evalsuite.errors import DataError
from evalsuite.guess.language_names import NAMES, OTHER_NAMES
from evalsuite.guess.locales import REGIONS, SCRIPTS
from evalsuite.iso_codes import TO_TWO_LETTERS, WITHOUT_TWO_LETTERS
from evalsuite.languages import LANGUAGES, wrong_code
from evalsuite.own.declaration import LANGUAGE

# Codes that are words of file names too; they are languages where several files agree on it.
WORDS = frozenset(
    ["am", "an", "as", "be", "he", "id", "in", "is", "it", "my", "no", "or", "so", "to", "ts"]
)
# Codes of three letters; others that exist, such as may and ice, are words of file names.
_TWO_LETTERS = {language.iso3: code for code, language in LANGUAGES.items()} | {
    "swa": "sw",
    "fas": "fa",
    "arb": "ar",
    "zho": "zh",
    "msa": "ms",
    "ekk": "et",
}
_THREE = 3
_NO_LANGUAGES = (
    "aka alb als arg asm ava ave bam bel bis bod bos bre bur cat cha che chi chu cor cos cre "
    "div dut ewe fre fry ful geo ger gla gre her ice ido ina ind kal kan kas kom kon kua "
    "lat lim lin lub lug mac mah mao may mon nau nav nob nor ori oss per pli pus roh rum run "
    "sag san sin slo sme smo som sot sun tah tat tib ton ven vol wel"
)
_WORDS_OF_THREE = frozenset(_NO_LANGUAGES.split())
_BY_NAME = {name.lower(): code for code, name in NAMES.items()} | OTHER_NAMES
_LOCALE = re.compile(r"([a-z]{2,3})(?:([-_])([A-Za-z]{4}))?(?:([-_])([A-Z]{2}|[a-z]{2}))?")


def language_of(written: str) -> str | None:
    """The code of a language, from a code, a locale or an English name; None where it is none.

    Codes of three letters become those of two where there is one; a region is kept. Codes are in
    small letters: `IT` and `CA` in names of files are more often departments and countries.
    """
    if (match := _LOCALE.fullmatch(written)) and (code := _of_locale(match)):
        return code
    if re.fullmatch(r"[A-Z]{2}[-_][A-Z]{2}", written):
        return language_of(written.lower())
    return _BY_NAME.get(written.lower())


def language_of_part(written: str) -> str | None:
    """The code of a language, from the name of a folder, or a part of a name between `.` or `_`.

    There are more codes of three letters than `language_of` takes; those that are words too, such
    as `cat` and `may`, are none here either.
    """
    if (code := language_of(written)) is not None:
        return code
    return None if written in _WORDS_OF_THREE else _of_three_letters(written)


def asked_language(option: str, written: str) -> str:
    """The code of a language that an option names, as recipes have it.

    >>> asked_language("--language", "PT-BR"), asked_language("--language", "CEB")
    ('pt-BR', 'ceb')

    Raises:
        DataError: it is none, or has a part that recipes do not take.
    """
    if wrong := wrong_code(written):
        raise DataError(f"{option}: {wrong}")
    if (known := language_of_part(written)) is not None:
        return known
    first = re.split("[-_]", written)[0]
    short = _of_three_letters(first.lower()) or first.lower()
    code = short + written.removeprefix(first)
    if not LANGUAGE.fullmatch(code):
        raise DataError(
            f"{option}: {written!r} has a part of one letter, which recipes do not take; write "
            f"{short}"
        )
    return code


def language_of_value(written: str) -> str | None:
    """The code of a language, from a value in a column of languages, whatever its case."""
    language, *others = re.split(r"([-_])", written.strip().lower())
    code = language + "".join(part.upper() if len(part) == 2 else part for part in others)
    return language_of_part(code)


def _of_three_letters(code: str) -> str | None:
    """Of two letters where there is one; None where it has not three, or is not listed."""
    if len(code) != _THREE:
        return None
    return code if code in WITHOUT_TWO_LETTERS else TO_TWO_LETTERS.get(code)


def _of_locale(match: re.Match[str]) -> str | None:
    """The code of a language that may have a script and a region after it."""
    language, before_script, script, before_region, region = match.groups()
    if script and script.title() not in SCRIPTS:
        return None
    if len(language) == _THREE:  # FLORES and others write the script of each language
        if region:
            return None
        return _of_three_letters(language) if script else _TWO_LETTERS.get(language)
    if language not in NAMES:
        return None
    if region and region.islower():
        region = region.upper()
        if region != language.upper() and region not in REGIONS.get(language, ()):
            return None
    code = language + (f"{before_script}{script.title()}" if script else "")
    return code + (f"{before_region}{region}" if region else "")
