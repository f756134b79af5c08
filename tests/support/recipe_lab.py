"""A fixture: a folder to run recipes in, whose stages are fakes that finish at once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

FAKES = Path(__file__).resolve().parents[1] / "fake_stages"


class Lab:
    """A folder with a tiny checkpoint `./base`, where stages are those of `tests/fake_stages`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / ".lingopress"
        self.script = folder / "child.py"
        self.stages = [str(FAKES)]
        base = folder / "base"
        base.mkdir()
        (base / "config.json").write_text("{}")
        (base / "model.safetensors").write_text("weights")

    def write(self, text: str, name: str = "r.yaml") -> str:
        (self.folder / name).write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return name

    def cli(self, *args: str) -> int:
        """Exit code of the command, run in this process."""
        from recipes.cli.app import main

        with pytest.raises(SystemExit) as left:
            main(list(args))
        code = left.value.code
        return code if isinstance(code, int) else 0

    def start(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        """The command in a child process, first of a process group of its own."""
        root = Path(__file__).resolve().parents[2]
        self.script.write_text(
            f"import sys\nsys.path.insert(0, {str(root)!r})\n"
            "import recipes.stages._shared\n"
            f"recipes.stages.__path__[:] = {self.stages!r}\n"
            "import recipes.cli.app\nif '--help' not in sys.argv and 'ls' not in sys.argv:\n"
            "    import recipes.planning.plan\n"
            "    recipes.planning.plan.digest_need = lambda need, source, file: need.task\n"
            "import os\nif 'PERIOD' in os.environ:\n"
            "    import recipes.execution.display\n"
            "    recipes.execution.display.PERIOD = float(os.environ['PERIOD'])\n"
            "if '--jobs' in sys.argv:\n"
            "    import recipes.execution.worker_pool\n"
            "    recipes.execution.worker_pool.PRELOAD[:] = []\n"
            "if __name__ != '__main__':\n    recipes.cli.app.main = lambda: None  # a worker\n"
            "try:\n    recipes.cli.app.main()\nfinally:\n"
            "    heavy = {'torch', 'transformers', 'numpy', 'jinja2', 'rich'} & set(sys.modules)\n"
            "    if __name__ == '__main__':\n"
            "        print('HEAVY', sorted(heavy), file=sys.stderr)\n"
        )
        return subprocess.Popen(
            [sys.executable, str(self.script), *args],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Recipes over fake stages, in an empty current directory."""
    import recipes.planning.plan
    import recipes.stages._shared

    def forget() -> None:
        for name in [name for name in sys.modules if name.startswith("recipes.stages.")]:
            if not name.startswith("recipes.stages._shared"):
                del sys.modules[name]
                vars(recipes.stages).pop(name.split(".")[2], None)  # else imports find it there

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)
    monkeypatch.setattr(recipes.stages, "__path__", [str(FAKES)])
    monkeypatch.setattr(
        recipes.planning.plan, "digest_need", lambda need, source, digest_file: need.task
    )
    forget()
    yield Lab(tmp_path)
    forget()
