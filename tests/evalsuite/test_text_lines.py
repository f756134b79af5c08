"""Lines of text files, whatever ends them."""

from pathlib import Path

from evalsuite.data import parallel
from evalsuite.task import DataSource


def test_lines_of_windows_end_without_a_carriage_return(tmp_path: Path) -> None:
    path = tmp_path / "de.txt"
    path.write_bytes(b"Ein Haus.\r\nZwei\rBoote.\r\n\nDrei")
    assert list(parallel.segments(path)) == ["Ein Haus.", "Zwei\rBoote.", "", "Drei"]


def test_pairs_of_two_columns_end_without_a_carriage_return(tmp_path: Path) -> None:
    folder = tmp_path / "parallel"
    folder.mkdir()
    (folder / "de.tsv").write_bytes(b"A house.\tEin Haus.\r\n")
    (pair,) = parallel.pairs(DataSource("xtreme", tmp_path), "de")
    assert (pair.foreign, pair.english) == ("Ein Haus.", "A house.")
