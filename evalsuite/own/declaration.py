"""What a recipe says about a task of the user's own: its format, files, columns and labels.

>>> Declaration(format="classification", train={"en": "train.tsv"}, test="{language}/test.tsv",
...             columns={"text": "text", "label": "category"}).metric_name
'accuracy'

Paths are relative to the current directory, as those of models are. A path with `{language}` stands
for one file per language; all files that exist are used.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evalsuite.errors import DataError
from evalsuite.own.records import Column
from evalsuite.task import Split

OwnFormat = Literal["classification", "pair", "tagging"]
LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
PLACE = "{language}"
ROLES: dict[OwnFormat, dict[str, Column]] = {  # what a row has, and its usual column
    "classification": {"text": "text", "label": "label"},
    "pair": {"first": "first", "second": "second", "label": "label"},
    "tagging": {"word": 1, "tag": -1},
}
METRICS: dict[OwnFormat, str] = {
    "classification": "accuracy",
    "pair": "accuracy",
    "tagging": "chunk_f1",
}
Parts = dict[str, str]  # role -> file with one line per row
Places = str | dict[str, str | Parts]


class Declaration(BaseModel):
    """One task."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    format: OwnFormat = Field(
        description="What a row is: a sentence and its label (classification), two sentences and "
        "a label (pair), or words with a tag each (tagging)."
    )
    title: str = Field(default="", description="Title in reports; default: the task's name.")
    train: Places | None = Field(
        default=None,
        description="Training files: a path per language code, or one path with {language} in "
        "it; default: the task is not trained on.",
    )
    dev: Places | None = Field(
        default=None, description="Development files, in the same forms; default: none."
    )
    test: Places | None = Field(
        default=None,
        description="Files to evaluate on, in the same forms; default: the development files.",
    )
    columns: dict[str, Column] = Field(
        default={},
        description="Column of each part of a row, by name or by number from 1 where the file "
        "has no line of names: text, label; first, second, label; word, tag.",
    )
    labels: tuple[str, ...] | dict[str, str] | None = Field(
        default=None,
        description="All labels, or what files write -> the label's name; default: those of the "
        "training files.",
    )
    metric: str | None = Field(
        default=None,
        description="Main metric; lingopress ls metrics lists them; default: accuracy, or chunk_f1 "
        "of tags.",
    )
    source_language: str | None = Field(
        default=None,
        description="Language whose scores are not zero-shot; default: en where there are "
        "training rows in it, else the first language of train.",
    )
    licence: str = Field(default="", description="Licence of the data, for the report.")
    url: str = Field(default="", description="Where the data are from, for the report.")

    @property
    def metric_name(self) -> str:
        """The main metric."""
        return self.metric or METRICS[self.format]

    @field_validator("labels", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        """YAML reads 0 and 1 as numbers, and files hold texts."""
        if isinstance(value, Mapping):
            return {_text(key): _text(name) for key, name in value.items()}
        return [_text(item) for item in value] if isinstance(value, list) else value

    @model_validator(mode="after")
    def _sound(self) -> Declaration:
        roles = ROLES[self.format]
        if strange := sorted(set(self.columns) - set(roles)):
            raise ValueError(
                f"columns: a {self.format} row has no {', '.join(strange)}; "
                f"it has {', '.join(roles)}"
            )
        if not (self.train or self.dev or self.test):
            raise ValueError("give files: train, dev or test")
        names = self.label_names()
        if names is not None and (len(names) < 2 or len(set(names)) < len(names)):
            raise ValueError("labels: give at least two, each of them once")
        for split in ("train", "dev", "test"):
            for problem in _problems(getattr(self, split), roles):
                raise ValueError(f"{split}: {problem}")
        return self

    def label_names(self) -> tuple[str, ...] | None:
        """The labels where they are declared, in order; several spellings may share one."""
        if isinstance(self.labels, Mapping):
            return tuple(dict.fromkeys(self.labels.values()))
        return self.labels

    def spelling(self, written: str) -> str:
        """The label that a file writes so."""
        return self.labels.get(written, written) if isinstance(self.labels, dict) else written

    def column(self, role: str) -> Column:
        """The column of one part of a row."""
        return self.columns.get(role, ROLES[self.format][role])

    def places(self, split: Split) -> dict[str, Path | dict[str, Path]]:
        """Language -> its file, or role -> file; of a path with `{language}` those that exist.

        Raises:
            DataError: no file fits the path.
        """
        given: Places | None = getattr(self, split)
        if given is None:
            return {}
        if isinstance(given, str):
            return dict(_expanded(given))
        if set(given) <= set(ROLES[self.format]):  # role -> path with {language}
            parts = {role: dict(_expanded(str(path))) for role, path in given.items()}
            shared = set.intersection(*(set(found) for found in parts.values()))
            every = set().union(*parts.values())
            if apart := sorted(every - shared):
                raise DataError(
                    f"{split}: {', '.join(apart)}: there is a file of one part of the rows and "
                    f"none of another ({', '.join(given)})"
                )
            return {code: {role: parts[role][code] for role in parts} for code in sorted(shared)}
        return {
            language: _existing(place)
            if isinstance(place, str)
            else {role: _existing(path) for role, path in place.items()}
            for language, place in given.items()
        }


def _problems(places: Places | None, roles: Mapping[str, Column]) -> Iterator[str]:
    if isinstance(places, str) and PLACE not in places:
        yield f"{places}: write {PLACE} where the path has the language code, or a path per code"
    if places == {}:
        yield "name a file, or leave the key out"
    if not isinstance(places, dict):
        return
    by_role = set(places) <= set(roles)
    for key, value in places.items():
        if by_role:
            if not isinstance(value, str) or PLACE not in value:
                yield f"{key}: write {PLACE} where the path has the language code"
        elif not LANGUAGE.fullmatch(key):
            yield f"{key!r} is not a language code such as en or pt-BR"
        elif isinstance(value, dict) and (absent := set(roles) - set(value)):
            yield f"{key}: no file of {', '.join(sorted(absent))}"


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _existing(text: str) -> Path:
    path = _path(text)
    if not path.is_file():
        raise DataError(f"there is no file {text} (from {Path.cwd()})")
    return path


def _expanded(pattern: str) -> Iterator[tuple[str, Path]]:
    """(language, path) of the files there are, sorted.

    Raises:
        DataError: there are none.
    """
    path = _path(pattern)
    parts = path.parts
    first = next(n for n, part in enumerate(parts) if PLACE in part)
    root = Path(*parts[:first]) if first else Path()
    pattern_below = "/".join(glob.escape(part).replace(PLACE, "*") for part in parts[first:])
    escaped = re.escape(str(path)).replace(re.escape(PLACE), f"({LANGUAGE.pattern})", 1)
    form = re.compile(escaped.replace(re.escape(PLACE), r"\1"))
    found = False
    for match in sorted(root.glob(pattern_below)):
        if fits := form.fullmatch(str(match)):
            found = True
            yield fits[1], match
    if not found:
        raise DataError(f"there is no file {pattern} (from {Path.cwd()}), for any language code")


def _text(value: object) -> str:
    """As a file writes it: `no` and `yes` are labels in YAML too."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
