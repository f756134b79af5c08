"""Text in the languages of a model: where it is, and some of it as rows that a gate can compare.

>>> text = gather(("en", "de"), [Path("messages")], None)
>>> text.files
(Path('messages/de.txt'), Path('messages/en.txt'))
>>> write_sample(text, "tagging", "O", Path("small-text"))   # small-text/de.conll, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from evalsuite.data import parallel
from evalsuite.guess.files import read_names
from evalsuite.inference.probe_text import spread
from evalsuite.own.records import content
from evalsuite.task import DataSource
from recipes.errors import RecipesError

LINES = 200  # of each language, that a gate compares
_READ = 5000  # lines of the corpus from which they are taken


@dataclass(frozen=True, slots=True)
class Text:
    """Where text is: files of the person, or a corpus.

    Attributes:
        lines: language -> some lines.
        files: the person's files; empty where the text is of the corpus.
    """

    lines: Mapping[str, Sequence[str]]
    files: tuple[Path, ...]


def gather(languages: Sequence[str], given: Sequence[Path], data_dir: Path | None) -> Text:
    """Text in all of these languages.

    Raises:
        RecipesError: a language has none; says where it could come from.
    """
    lines: dict[str, Sequence[str]] = {}
    files: tuple[Path, ...] = ()
    if given:
        named = read_names(given)
        if len(named) == 1 and named[0].language is None and len(languages) == 1:
            by_language = {languages[0]: [named[0].path]}
        else:
            by_language = {
                code: [file.path for file in named if file.language == code] for code in languages
            }
        lines = {code: _filled(paths) for code, paths in by_language.items() if paths}
        files = tuple(path for paths in by_language.values() for path in paths)
    elif data_dir is not None:
        source = DataSource("xtreme", data_dir)
        there = {*parallel.languages(source), "en"}
        lines = {code: _of_corpus(source, code) for code in languages if code in there}
    if absent := [code for code in languages if not lines.get(code)]:
        some = absent[0]
        raise RecipesError(
            f"no text in {', '.join(absent)}, and a vocabulary is cut to text\n"
            f"give a file per language, a sentence per line: --text {some}.txt (your messages, "
            "articles of a newspaper, sentences from tatoeba.org), or a corpus: --data-dir DIR "
            f"with DIR/../corpus/parallel/{some}.tsv\nwithout --text and --data-dir the "
            "vocabulary is left whole"
        )
    return Text(lines, files)


def _filled(paths: Iterable[Path]) -> list[str]:
    return [line.strip() for path in paths for line in content(path).split("\n") if line.strip()]


def _of_corpus(source: DataSource, language: str) -> list[str]:
    if language == "en":
        other = next(iter(parallel.languages(source)), None)
        if other is None:
            return []
        return [pair.english for pair in islice(parallel.pairs(source, other), _READ)]
    return [pair.foreign for pair in islice(parallel.pairs(source, language), _READ)]


def write_sample(text: Text, format: str, tag: str, folder: Path) -> str:
    """Some lines of each language as unlabelled rows: a file per language.

    Args:
        tag: of every word, where rows have tags.

    Returns:
        The files' path, with `{language}` in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "conll" if format == "tagging" else "txt"
    for language, lines in text.lines.items():
        some = [" ".join(line.split()) for line in spread(lines, LINES)]
        rows = _tagged(some, tag) if format == "tagging" else (f"{line}\n" for line in some)
        (folder / f"{language}.{suffix}").write_text("".join(rows), encoding="utf-8")
    return f"{folder}/{{language}}.{suffix}"


def _tagged(lines: Iterable[str], tag: str) -> Iterator[str]:
    for line in lines:
        yield "".join(f"{word}\t{tag}\n" for word in line.split()) + "\n"
