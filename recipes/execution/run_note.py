"""`runs/<recipe>/run.json`: where the outputs of a recipe's last run are.

>>> read_note(Path(".lingopress/runs/demo/run.json"), "demo").stages["teacher"]
'.lingopress/stages/train-5feceb66ffc86f38d952'
"""

from __future__ import annotations

import shlex
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from evalsuite.results.read_record import first_problem
from recipes.errors import WorkspaceError
from recipes.naming import is_file
from recipes.parsing.library import typed_name

FILE = "run.json"


class RunNote(BaseModel):
    """A run: its recipe's name and file, when it ended, its outputs by label, and its report."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    recipe: str = ""
    file: str = ""  # of the recipe; empty where an earlier version wrote the note
    finished: str = ""  # ISO 8601, UTC
    stages: dict[str, str] = {}
    report: str | None = None
    recommended: tuple[str, ...] = ()  # labels of the outputs that a search recommends

    def within(self, stages: Path) -> RunNote:
        """The same with outputs in `stages`: the workspace may have been moved or copied."""
        paths = {label: str(_within(path, stages)) for label, path in self.stages.items()}
        report = None if self.report is None else str(_within(self.report, stages))
        return self.model_copy(update={"stages": paths, "report": report})

    def run_again(self, recipe: str) -> str:
        """What to do to have the outputs again, as the last line of a message.

        >>> RunNote(file="/home/me/r.yaml").run_again("research")  # in /home/me
        'type: lingopress run r.yaml'
        >>> RunNote().run_again("research")
        'run the recipe research again'
        """
        file = Path(self.file)
        if not self.file or not is_file(file):
            return f"run the recipe {self.recipe or recipe} again"
        return f"type: lingopress run {shlex.quote(typed_name(file))}"


def _within(stored: str, stages: Path) -> Path:
    """A path below another workspace's `stages`, below these; any other as it is.

    >>> _within("/old/.lingopress/stages/report-1f0c/report.html", Path("/new/stages"))
    Path('/new/stages/report-1f0c/report.html')
    """
    parts = Path(stored).parts
    if stages.name not in parts:
        return Path(stored)
    after = len(parts) - parts[::-1].index(stages.name)
    return stages.joinpath(*parts[after:])


def read_note(file: Path, recipe: str) -> RunNote | None:
    """The note of a run; None where there is none.

    Raises:
        WorkspaceError: it cannot be read, or is no such note.
    """
    try:
        return RunNote.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        problem = f"is not the record of a run: {first_problem(error)}"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    raise WorkspaceError(
        f"{file} {problem}\nmove it away; to write it again, run the recipe {recipe} again"
    )
