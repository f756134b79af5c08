"""What ships checks: recipes, the README's recipe, the wheel's files, the pinned packages."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from made_once import PACKAGES
from mini_extra import stand_ins

ROOT = Path(__file__).resolve().parents[1]


def test_shipped_recipes_check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recipes.cli.app import main

    monkeypatch.syspath_prepend(str(stand_ins(tmp_path)))
    names = sorted(
        p.relative_to(ROOT / "recipes/library").with_suffix("").as_posix()
        for p in (ROOT / "recipes/library").rglob("*.yaml")
    )
    assert names == [
        "base-vs-large",
        "compact/elastic",
        "compact/front",
        "compact/fused",
        "compact/headline",
        "compact/multilingual-minilm",
        "compact/ner-edge",
        "compact/passes",
        "compact/search-budget",
        "compact/search-elastic",
        "compact/static",
        "compact/trim-only",
        "compact/xnli-cpu-int8",
        "embeddings/small-sentences",
        "pretrain/e5-mini",
        "pretrain/from-english",
        "prompt-vs-finetune",
        "quickstart",
        *(
            f"stilts/{task}"
            for task in ("anliplus", "ccg", "commonsenseqa", "cosmosqa", "hellaswag", "mini")
        ),
        *(f"stilts/{name}" for name in ("mlm-continued", "mnli", "multilingual-vs-english")),
        *(f"stilts/{name}" for name in ("multitask", "qqp", "sequential-adapters")),
        *(f"stilts/{task}" for task in ("squad", "squad2")),
        "xtreme-mini-cpu",
        "xtreme-r-mini",
    ]
    for name in names:
        try:
            code = main(["check", name])
        except SystemExit as end:
            code = end.code
        assert not code, capsys.readouterr().err


def test_the_readmes_recipe_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from recipes.cli.app import main

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["check", str(path)])
    assert end.value.code == 0, capsys.readouterr().err


def test_the_wheel_lists_its_packages_and_every_data_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    setuptools = project["tool"]["setuptools"]
    include = setuptools["packages"]["find"]["include"]
    assert {name.rstrip("*") for name in include} == set(PACKAGES)
    data = setuptools["package-data"]
    packaged = {
        p for name, patterns in data.items() for q in patterns for p in (ROOT / name).glob(q)
    }
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert path in packaged, f"{path} would not be in the wheel"
            if path.suffix == ".py":
                folder = path.parent
                assert (folder / "__init__.py").is_file(), f"{folder} is no package"


def test_constraints_are_plain_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert len(lines) > 40
    for line in lines:
        name, _, version = line.partition("==")
        assert name and version and " " not in line and "/" not in line
