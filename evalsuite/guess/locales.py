"""Regions and scripts after the code of a language, as names of locales have them.

>>> "BR" in REGIONS["pt"], "Hant" in SCRIPTS
(True, True)

A name in small letters, such as `pt-br`, is a locale only where the region is listed: `en-de` may
be a pair of languages.
"""

from __future__ import annotations

SCRIPTS = frozenset(
    [
        *("Adlm", "Arab", "Armn", "Beng", "Bopo", "Cans", "Cher", "Copt", "Cyrl", "Deva"),
        *("Ethi", "Geor", "Grek", "Gujr", "Guru", "Hang", "Hani", "Hans", "Hant", "Hebr"),
        *("Hira", "Hrkt", "Java", "Jpan", "Kana", "Khmr", "Knda", "Kore", "Laoo", "Latn"),
        *("Mlym", "Mong", "Mtei", "Mymr", "Nkoo", "Olck", "Orya", "Sinh", "Sund", "Syrc"),
        *("Taml", "Telu", "Tfng", "Thaa", "Thai", "Tibt", "Vaii", "Yiii"),
    ]
)
_REGIONS = {
    "af": "NA ZA",
    "am": "ET",
    "ar": "AE BH DZ EG IQ JO KW LB LY MA OM QA SA SD SY TN YE",
    "be": "BY",
    "bn": "BD IN",
    "bs": "BA",
    "ca": "AD ES",
    "cs": "CZ",
    "cy": "GB",
    "da": "DK",
    "de": "AT BE CH LI LU",
    "el": "CY GR",
    "en": "AU CA GB HK IE IN JM KE MT NG NZ PH PK SG TT US ZA ZW",
    "es": "AR BO CL CO CR CU DO EC GT HN MX NI PA PE PR PY SV US UY VE",
    "et": "EE",
    "eu": "ES",
    "fa": "AF IR",
    "fr": "BE CA CH CI CM LU MA SN",
    "ga": "IE",
    "gl": "ES",
    "gu": "IN",
    "ha": "NG",
    "he": "IL",
    "hi": "IN",
    "hy": "AM",
    "ig": "NG",
    "it": "CH",
    "ja": "JP",
    "jv": "ID",
    "ka": "GE",
    "kk": "KZ",
    "km": "KH",
    "kn": "IN",
    "ko": "KP KR",
    "lo": "LA",
    "ml": "IN",
    "mr": "IN",
    "ms": "BN MY SG",
    "my": "MM",
    "nb": "NO",
    "ne": "IN NP",
    "nl": "BE",
    "nn": "NO",
    "pa": "IN PK",
    "ps": "AF PK",
    "pt": "AO BR MZ",
    "ro": "MD",
    "si": "LK",
    "sl": "SI",
    "sq": "AL XK",
    "sr": "BA ME RS",
    "sv": "FI SE",
    "sw": "CD KE TZ UG",
    "ta": "IN LK MY SG",
    "te": "IN",
    "tl": "PH",
    "uk": "UA",
    "ur": "IN PK",
    "vi": "VN",
    "xh": "ZA",
    "yo": "NG",
    "zh": "CN HK MO SG TW",
    "zu": "ZA",
}
# Language -> regions; that with the same letters is always one, as in de-DE.
REGIONS: dict[str, frozenset[str]] = {
    language: frozenset(regions.split()) for language, regions in _REGIONS.items()
}
