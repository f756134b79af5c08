"""Read a run back from its `report.json`.

>>> read(Path("report/report.json")).recipe
'xnli-base'
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from evalsuite.errors import DataError
from evalsuite.results.read_record import first_problem
from evalsuite.results.run import RunRecord

FILE = "report.json"
_ALWAYS = ("recipe", "stages", "scores", "speeds")  # every version of the file has had them


def read(path: Path) -> RunRecord:
    """The run a report was made from.

    Raises:
        DataError: no such file, no `report.json`, or one of another version.
    """
    import json

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(
            f"there is no {path}\n"
            f"name a recipe that was run, a run's folder, or the {FILE} of a report"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON, so it is not a {FILE}: {error}") from error
    if not isinstance(tree, dict) or not all(name in tree for name in _ALWAYS):
        raise DataError(
            f"{path} is JSON, but not the {FILE} of a report: that has {', '.join(_ALWAYS)}\n"
            f"name the {FILE} in the folder of a report.html"
        )
    try:
        return RunRecord.model_validate_json(text)
    except ValidationError as error:
        raise DataError(
            f"{path} was written by another version of lingopress, or changed by hand: "
            f"{first_problem(error)}\n"
            f"run the recipe {tree['recipe']} again with this version"
        ) from error
