"""Shared fixtures: where the real data lies, if it does; a place to run recipes in."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

FAKES = Path(__file__).resolve().parent / "fake_stages"

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def xtreme_dir() -> Path:
    """Real files in the XTREME layout."""
    return _folder("xtreme")


@pytest.fixture(scope="session")
def mock_dir() -> Path:
    """The benchmark's mock submission, its labels and the official scores."""
    return _folder("xtreme_mock")


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    """Parallel and one-language text for pretraining."""
    return _folder("corpus")


class Lab:
    """A folder with a tiny checkpoint `./base`, where stages are those of `tests/fake_stages`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / ".lingopress"
        self.script = folder / "child.py"
        base = folder / "base"
        base.mkdir()
        (base / "config.json").write_text("{}")
        (base / "model.safetensors").write_text("weights")

    def write(self, text: str, name: str = "r.yaml") -> str:
        (self.folder / name).write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return name

    def cli(self, *args: str) -> int:
        """Exit code of the command, run in this process."""
        from recipes.cli import main

        with pytest.raises(SystemExit) as left:
            main(list(args))
        code = left.value.code
        return code if isinstance(code, int) else 0

    def start(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        """The command in a child process."""
        root = Path(__file__).resolve().parents[1]
        self.script.write_text(
            f"import sys\nsys.path.insert(0, {str(root)!r})\n"
            f"import recipes.stages\nrecipes.stages.__path__[:] = [{str(FAKES)!r}]\n"
            "import recipes.cli\nif '--help' not in sys.argv and 'ls' not in sys.argv:\n"
            "    import recipes.plan\n"
            "    recipes.plan.digest_need = lambda need, source, file: need.task\n"
            "try:\n    recipes.cli.main()\nfinally:\n"
            "    heavy = {'torch', 'transformers', 'numpy', 'jinja2', 'rich'} & set(sys.modules)\n"
            "    print('HEAVY', sorted(heavy), file=sys.stderr)\n"
        )
        return subprocess.Popen(
            [sys.executable, str(self.script), *args],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Recipes over fake stages, in an empty current directory."""
    import recipes.plan
    import recipes.stages

    def forget() -> None:
        for name in [name for name in sys.modules if name.startswith("recipes.stages.")]:
            del sys.modules[name]

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)
    monkeypatch.setattr(recipes.stages, "__path__", [str(FAKES)])
    monkeypatch.setattr(recipes.plan, "digest_need", lambda need, source, digest_file: need.task)
    forget()
    yield Lab(tmp_path)
    forget()
