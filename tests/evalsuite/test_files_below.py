"""Files of linked folders count as all others do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evalsuite.bulk import text_shards
from evalsuite.data import heldout
from evalsuite.files_below import files_below
from evalsuite.task import DataSource
from recipes.hashing import DigestMemo
from recipes.planning.external_models import External
from recipes.stages._shared.contract import Artifact


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder with a file, and a link to a folder with another."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "de.tsv").write_text("Es regnet.\tIt rains.\n")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "en.tsv").write_text("It snows.\n")
    (tmp_path / "here" / "xnli").symlink_to(tmp_path / "disk", target_is_directory=True)
    return tmp_path / "here"


def test_linked_folders_are_entered(linked: Path) -> None:
    names = [path.relative_to(linked).as_posix() for path in files_below(linked)]
    assert names == ["en.tsv", "xnli/de.tsv"]


def test_a_link_to_where_it_lies_ends(linked: Path) -> None:
    (linked / "xnli" / "again").symlink_to(linked, target_is_directory=True)
    (linked / "gone").symlink_to(linked / "nowhere")
    assert len(list(files_below(linked))) == 2


def test_a_folder_that_may_not_be_read_is_passed(
    linked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `Path.rglob` does."""
    entered = Path.iterdir

    def refused(folder: Path) -> Iterator[Path]:
        if folder.name == "xnli":
            raise PermissionError(13, "Permission denied", str(folder))
        return entered(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert [path.name for path in files_below(linked)] == ["en.tsv"]


def test_their_text_is_held_out(linked: Path) -> None:
    source = DataSource("xtreme", linked)
    assert "de.tsv" in [path.name for path in heldout.paths(source)]
    assert "It rains." in heldout.HeldOut.read(source)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.tsv", ["here/en.tsv", "here/xnli/de.tsv"]),
        ("**/xnli/*.tsv", ["here/xnli/de.tsv"]),
        ("**/**/d*.tsv", ["here/xnli/de.tsv"]),
        ("xnli/**/*.tsv", ["here/xnli/again/en.tsv", "here/xnli/de.tsv"]),
    ],
)
def test_a_pattern_enters_them(linked: Path, pattern: str, names: list[str]) -> None:
    """Each file counts once, also where a link leads back to where it lies."""
    (linked / "xnli" / "again").symlink_to(linked, target_is_directory=True)
    found = text_shards.files(str(linked / pattern))
    assert [path.relative_to(linked.parent).as_posix() for path in found] == names


def test_they_are_part_of_the_key_of_a_local_model(linked: Path, tmp_path: Path) -> None:
    model = External("./here", linked, Artifact("checkpoint", external=True))
    before = model.digest(DigestMemo())
    (tmp_path / "disk" / "de.tsv").write_text("Es schneit.\tIt snows.\n")
    assert model.digest(DigestMemo()) != before
