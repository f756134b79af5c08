"""Language codes and names, as file names, folder names and columns write them.

>>> language_of("de"), language_of("deu_Latn"), language_of("German"), language_of("pt-br")
('de', 'de', 'de', 'pt-BR')
>>> language_of("DE"), language_of_value("DE")
(None, 'de')
"""

from __future__ import annotations

import re

from evalsuite.guess.language_names import NAMES, OTHER_NAMES
from evalsuite.guess.locales import REGIONS, SCRIPTS
from evalsuite.languages import LANGUAGES

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


def language_of_value(written: str) -> str | None:
    """The code of a language, from a value in a column of languages, whatever its case."""
    language, *others = re.split(r"([-_])", written.strip().lower())
    code = language + "".join(part.upper() if len(part) == 2 else part for part in others)
    return language_of(code)


def _of_locale(match: re.Match[str]) -> str | None:
    """The code of a language that may have a script and a region after it."""
    language, before_script, script, before_region, region = match.groups()
    if script and script.title() not in SCRIPTS:
        return None
    if len(language) == 3:  # FLORES and others write the script of each language
        return None if region else _TWO_LETTERS.get(language)
    if language not in NAMES:
        return None
    if region and region.islower():
        region = region.upper()
        if region != language.upper() and region not in REGIONS.get(language, ()):
            return None
    code = language + (f"{before_script}{script.title()}" if script else "")
    return code + (f"{before_region}{region}" if region else "")
