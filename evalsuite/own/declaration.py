"""What a recipe says about a task of the user's own: its format, files, columns and labels.

>>> Declaration(format="classification", train={"en": "train.tsv"}, test="{language}/test.tsv",
...             columns={"text": "text", "label": "category"}).metric_name
'accuracy'

With `hub` the rows come from a data set of the hub, and configurations stand where paths are.

Paths are relative to the current directory, as those of models are. A path with `{language}` stands
for one file per language; all files that exist are used.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evalsuite.errors import DataError
from evalsuite.home_path import home_path
from evalsuite.own import hub_places
from evalsuite.own.formats._label import in_one_line
from evalsuite.own.records import Column
from evalsuite.own.split_names import SPLITS
from evalsuite.registry import OWN_FORMATS
from evalsuite.task import Format, Split

if TYPE_CHECKING:
    OwnFormat: TypeAlias = str
else:  # the names are those of the formats' files
    OwnFormat = Literal[OWN_FORMATS.names()]
LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
PLACE = "{language}"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # which no drawing can hold
_TRUTHS = {"1": "true", "0": "false"}
Parts = dict[str, str]  # role -> file with one line per row
Places = str | dict[str, str | Parts]


class Declaration(BaseModel):
    """One task."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    format: OwnFormat = Field(
        description="What a row is: "
        + "; ".join(f"{name}: {OWN_FORMATS.get(name).NOUN}" for name in OWN_FORMATS.names())
        + "."
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
    hub: str | None = Field(
        default=None,
        description="Data set of the Hugging Face hub at one commit, org/name@<40 digits>; train, "
        "dev and test are then the configuration of each language, and labels are given.",
    )
    splits: dict[Split, str] = Field(
        default={},
        description="With hub: its names of the splits, where they are not train, validation and "
        "test.",
    )
    candidates: str | dict[str, str] | None = Field(
        default=None,
        description="Retrieval: files of the candidates, with an id and a text each: a path per "
        "language code, or one path with {language} in it.",
    )
    columns: dict[str, Column | tuple[Column, ...]] = Field(
        default={},
        description="Column of each part of a row, by name or by number from 1 where the file "
        "has no line of names: text, label; first, second, score; word, tag.",
    )
    labels: tuple[str, ...] | dict[str, str] | None = Field(
        default=None,
        description="All labels, or what files write -> the label's name; default: those of the "
        "training files.",
    )
    metric: str | None = Field(
        default=None,
        description="Main metric; lingopress ls metrics lists them; default: accuracy of labels, "
        "chunk_f1 of tags, spearman of scores.",
    )
    also: tuple[str, ...] = Field(
        default=(), description="Further metrics that are scored next to the main one."
    )
    positive: str | None = Field(
        default=None, description="Label that the metric f1 is of; default: none."
    )
    source_language: str | None = Field(
        default=None,
        description="Language whose scores are not zero-shot; default: en where there are "
        "training rows in it, else the first language of train.",
    )
    licence: str = Field(default="", description="Licence of the data, for the report.")
    url: str = Field(default="", description="Where the data are from, for the report.")

    @property
    def rules(self) -> Any:
        """The module of its format."""
        return OWN_FORMATS.get(self.format)

    @property
    def metric_name(self) -> str:
        """The main metric."""
        return self.metric or self._of_way(self.rules.METRIC)

    @property
    def row_format(self) -> Format:
        """The format in `evalsuite.formats` of its rows."""
        return cast(Format, self._of_way(self.rules.FORMAT))

    @property
    def roles(self) -> dict[str, Column]:
        """The parts of a row, and their usual columns, in the way that the keys ask for."""
        roles: dict[str, Column] = self.rules.ROLES[self._way]
        return roles

    @property
    def _way(self) -> int:
        """Number of the first of the format's ways that has all parts that the keys name."""
        ways: Sequence[dict[str, Column]] = self.rules.ROLES
        named = set(self.columns).union(*map(_named_roles, (self.train, self.dev, self.test)))
        known = named & {role for way in ways for role in way}
        return next((n for n, way in enumerate(ways) if known <= set(way)), 0)

    def _of_way(self, named: str | tuple[str, ...]) -> str:
        return named if isinstance(named, str) else named[self._way]

    @property
    def row_roles(self) -> tuple[str, ...]:
        """The parts that the files of the splits have; candidates have other files."""
        apart = getattr(self.rules, "CANDIDATES", ())
        return tuple(role for role in self.roles if role not in apart)

    @field_validator("labels", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        """YAML reads 0 and 1 as numbers, and files hold texts."""
        if isinstance(value, Mapping):
            return {_text(key): _text(name) for key, name in value.items()}
        return [_text(item) for item in value] if isinstance(value, list) else value

    @model_validator(mode="after")
    def _sound(self) -> Declaration:
        for problem in (*self._wrong_columns(), *self._wrong_labels()):
            raise ValueError(problem)
        if _CONTROL.search(self.title):
            raise ValueError(f"title: {self.title!r} has control characters; leave them out")
        if not (self.train or self.dev or self.test):
            raise ValueError("give files: train, dev or test")
        if self.candidates is not None and not hasattr(self.rules, "CANDIDATES"):
            raise ValueError(f"candidates: a {self.format} task has none; leave them out")
        for problem in hub_places.wrong(self):
            raise ValueError(problem)
        for split in ("train", "dev", "test"):
            hidden = self.rules.GOLD if split == "test" else ()
            for problem in _problems(getattr(self, split), self.row_roles, hidden):
                raise ValueError(f"{split}: {problem}")
        return self

    def _wrong_columns(self) -> Iterator[str]:
        if strange := sorted(set(self.columns) - set(self.roles)):
            ways = " or ".join(", ".join(way) for way in self.rules.ROLES)
            yield f"columns: a {self.format} row has no {', '.join(strange)}; it has {ways}"
        for role, column in self.columns.items():
            if isinstance(column, tuple) and role not in self.rules.LISTS:
                yield f"columns: {role} is one column, not {len(column)}"
            if isinstance(column, tuple) and len(set(column)) < max(len(column), 2):
                yield f"columns: {role}: give at least two, each of them once"

    def _wrong_labels(self) -> Iterator[str]:
        names = self.label_names()
        if names is None:
            return
        if hasattr(self.rules, "SPELLED"):
            if not isinstance(self.labels, Mapping):
                yield "labels: say what files write -> the number of the choice, from 0"
        elif hasattr(self.rules, "FIXED"):
            yield f"labels: a {self.format} row has none; leave them out"
        elif len(names) < 2 or len(set(names)) < len(names):
            yield "labels: give at least two, each of them once"
        elif self.labels and not all(
            name and name == name.strip() and in_one_line(name) for name in names
        ):
            yield "labels: write each in one line, without spaces around it"

    def label_names(self) -> tuple[str, ...] | None:
        """The labels where they are declared, or have a column each, in order.

        Several spellings may share one.
        """
        if isinstance(self.labels, Mapping):
            return tuple(dict.fromkeys(self.labels.values()))
        return self.labels or tuple(map(str, self.columns_of("labels"))) or None

    def spelling(self, written: str) -> str:
        """The label that a file writes so; true and false of JSON are read as 1 and 0."""
        named = self.labels or ()
        if written not in named and _TRUTHS.get(written) in named:
            written = _TRUTHS[written]
        return self.labels.get(written, written) if isinstance(self.labels, dict) else written

    def column(self, role: str) -> Column:
        """The column of a part of a row that has one; of several the first."""
        found = self.columns.get(role, self.roles[role])
        return found[0] if isinstance(found, tuple) else found

    def columns_of(self, role: str) -> tuple[Column, ...]:
        """The columns of a part of a row that has several; none where it has one."""
        found = self.columns.get(role)
        return found if isinstance(found, tuple) else ()

    def candidate_places(self) -> dict[str, Path]:
        """Language -> file of candidates, where there are some; errors as of `places`."""
        given = self.candidates
        if isinstance(given, str):
            return dict(_expanded(given)) if PLACE in given else {"all": _existing(given)}
        return {language: _existing(path) for language, path in (given or {}).items()}

    def places(self, split: Split) -> dict[str, Path | dict[str, Path]]:
        """Language -> its file, or role -> file; of a path with `{language}` those that exist.

        Of a data set of the hub: language -> its configuration.

        Raises:
            DataError: no file fits the path.
        """
        given: Places | None = getattr(self, split)
        if given is None:
            return {}
        if self.hub is not None:
            assert isinstance(given, dict)  # `hub_places.wrong` has no problem with it
            return {language: Path(str(config)) for language, config in given.items()}
        if isinstance(given, str):
            return dict(_expanded(given))
        if set(given) <= set(self.row_roles):  # role -> path with {language}
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


def _named_roles(places: Places | None) -> set[str]:
    """Names that may be of parts of a row, where files are given part by part."""
    if not isinstance(places, dict):
        return set()
    return set(places).union(*(value for value in places.values() if isinstance(value, dict)))


def _problems(places: Places | None, roles: Sequence[str], hidden: Sequence[str]) -> Iterator[str]:
    """What is wrong with the files of a split, which may be without the hidden parts of a row."""
    if isinstance(places, str) and PLACE not in places:
        yield f"{places}: write {PLACE} where the path has the language code, or a path per code"
    if places == {}:
        yield "name a file, or leave the key out"
    if not isinstance(places, dict):
        return
    if not set(places) <= set(roles):
        for language, place in places.items():
            yield from _problems_of_language(language, place, roles, hidden)
        return
    if absent := [role for role in roles if role not in {*places, *hidden}]:
        yield f"no file of {', '.join(absent)}"
    for role, path in places.items():
        if not isinstance(path, str) or PLACE not in path:
            yield f"{role}: write {PLACE} where the path has the language code"


def _problems_of_language(
    language: str, place: str | Parts, roles: Sequence[str], hidden: Sequence[str]
) -> Iterator[str]:
    if not LANGUAGE.fullmatch(language):
        yield f"{language!r} is not a language code such as en or pt-BR"
    elif isinstance(place, dict) and (strange := sorted(set(place) - set(roles))):
        yield f"{language}: a row has no {', '.join(strange)}; it has {', '.join(roles)}"
    elif isinstance(place, dict) and (absent := sorted({*roles} - {*place, *hidden})):
        yield f"{language}: no file of {', '.join(absent)}"


def _existing(text: str) -> Path:
    path = home_path(text)
    if not path.is_file():
        raise DataError(f"there is no file {text} (from {Path.cwd()})")
    return path


def _expanded(pattern: str) -> Iterator[tuple[str, Path]]:
    """(language, path) of the files there are, sorted.

    A name such as `en-train` or `dev` is a split's, not a language's.

    Raises:
        DataError: there are none.
    """
    path = home_path(pattern)
    parts = path.parts
    first = next(n for n, part in enumerate(parts) if PLACE in part)
    root = Path(*parts[:first]) if first else Path()
    pattern_below = "/".join(glob.escape(part).replace(PLACE, "*") for part in parts[first:])
    escaped = re.escape(str(path)).replace(re.escape(PLACE), f"({LANGUAGE.pattern})", 1)
    form = re.compile(escaped.replace(re.escape(PLACE), r"\1"))
    found, others = False, list[Path]()
    for match in sorted(root.glob(pattern_below)):
        fits = form.fullmatch(str(match))
        if fits and any(part in SPLITS for part in re.split("[-_]", fits[1].lower())):
            others.append(match)
        elif fits:
            found = True
            yield fits[1], match
    if not found:
        named = ""
        if others:
            named = f"; {others[0]} has the name of a split: use a path such as {PLACE}-test.csv"
        raise DataError(
            f"there is no file {pattern} (from {Path.cwd()}), for any language code{named}"
        )


def _text(value: object) -> str:
    """As a file writes it: `true` and `false` are labels too."""
    return str(value).lower() if isinstance(value, bool) else str(value)
