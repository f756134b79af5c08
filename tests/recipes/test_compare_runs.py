"""`lingopress compare` and the exports: what is found, written, printed and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyarrow import csv
from report_fakes import run_of_three_systems

from evalsuite.report.output.page import write
from evalsuite.report.output.read_report import read


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the run of `one`, and the report.json of `two` brought from elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINGOPRESS_WORKSPACE", str(tmp_path / "space"))
    record = run_of_three_systems()
    report = write(record.model_copy(update={"recipe": "one"}), tmp_path / "space" / "made")
    folder = tmp_path / "space" / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"recipe": "one", "report": str(report)}))
    two = record.model_copy(update={"recipe": "two"})
    Path("two.json").write_text(two.model_dump_json())
    return tmp_path


def cli(*args: str) -> int:
    from recipes.cli.app import main

    with pytest.raises(SystemExit) as left:
        main(list(args))
    return left.value.code if isinstance(left.value.code, int) else 0


@pytest.mark.slow
def test_a_recipe_a_folder_and_a_file_are_compared(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for first in ("one", "space/runs/one", "space/made", "space/made/report.json"):
        assert cli("compare", first, "two.json") == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("source: embedded")
        assert lines[-1] == "comparison/report.html"
        assert [line.split()[0] for line in lines[4:10]] == [
            f"{run}:{system}" for run in ("one", "two") for system in ("teacher", "int8", "base")
        ]
    assert {path.name for path in Path("comparison").iterdir()} == {
        "report.html", "report.md", "report.json", "summary.txt",
    }  # fmt: skip
    assert [run.name for run in read(Path("comparison/report.json")).runs] == ["one", "two"]
    assert {path.name for path in runs.iterdir()} == {"space", "two.json", "comparison"}


def test_names_and_exports(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ("here=one", "there=two.json", "--out", "c", "--csv", "a.csv", "--parquet", "a.parquet")
    assert cli("compare", *args) == 0
    assert "there:int8" in capsys.readouterr().out
    assert set(csv.read_csv("a.csv")["run"].to_pylist()) == {"here", "there"}
    assert Path("a.parquet").is_file()
    assert cli("report", "one", "--csv", "b.csv") == 0
    assert capsys.readouterr().out == f"{runs}/space/made/report.html\n"
    assert set(csv.read_csv("b.csv")["run"].to_pylist()) == {"one"}


def test_mistakes_exit_with_2_and_one_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*args: str) -> str:
        assert cli("compare", *args) == 2
        out, err = capsys.readouterr()
        assert not out and not Path("comparison").exists()
        return err

    assert said("one", "space/made").startswith("error: one and space/made: the same run twice")
    assert said("one", "three.json").startswith("error: there is no three.json\n")
    assert said("one", "x=three.json").startswith("error: there is no three.json\n")
    assert said("one", "three").startswith("error: the workspace ")
    assert said("one").startswith("error: a comparison takes two runs or more\n")
    Path("odd.json").write_text("[]")
    assert said("one", "odd.json").startswith("error: odd.json is JSON, but not the report.json")
    (runs / "space" / "made" / "report.json").unlink()
    assert "report.json\n" in said("one", "two.json")


def test_a_folder_with_other_files_is_left_alone(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("x")
    assert cli("compare", "one", "two.json", "--out", "mine") == 2
    assert capsys.readouterr().err == (
        "error: mine has other files in it (thesis.tex), and a comparison replaces the whole "
        "folder\nchoose another: --out DIR\n"
    )
    assert cli("compare", "one", "two.json", "--out", "two.json") == 2
    assert "two.json is a file" in capsys.readouterr().err
    assert cli("compare", "one", "two.json", "--out", "two.json/below") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert Path("mine/thesis.tex").is_file() and read(Path("two.json"))


def test_sources_are_mixed_only_when_asked(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = read(Path("two.json"))
    Path("real.json").write_text(record.model_copy(update={"source": "hub"}).model_dump_json())
    assert cli("compare", "one", "real.json") == 2
    assert capsys.readouterr().err.endswith("--mix-sources\n")
    assert cli("compare", "one", "real.json", "--mix-sources") == 0
    assert "Mixed sources" in Path("comparison/report.html").read_text()
