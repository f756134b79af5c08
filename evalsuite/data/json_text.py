"""JSON in files of data, with errors that name the line.

>>> parse(Path("xquad.de.json"), 1, '{"answer_start": 1e999}')
MalformedRowError: xquad.de.json:1: not JSON: the number 1e999 is not finite
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from evalsuite.errors import MalformedRowError


def parse(path: Path, line: int, text: str) -> Any:
    """What a text holds that begins on a line of a file.

    Raises:
        MalformedRowError: it is no JSON, is nested too deep, or has a number or a character that
            does not exist (1e999, NaN, half of a surrogate pair).
    """
    try:
        found = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise MalformedRowError(path, line + error.lineno - 1, f"not JSON: {error.msg}") from None
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise MalformedRowError(path, line, f"{half} is half of a character") from None
    except RecursionError:
        raise MalformedRowError(path, line, "not JSON: it is nested too deep") from None
    except ValueError as error:
        raise MalformedRowError(path, line, f"not JSON: {error}") from None
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text:.20} is not finite")
    return number
