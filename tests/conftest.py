"""Shared fixtures: where the real data lies, if it does; a place to run recipes in."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.loopback_hub import LoopbackHub

MEMORY = "/dev/shm"  # a file system in memory, on Linux
ROOM = 4e9  # bytes; the whole suite writes less at a time


def _has_room(folder: str) -> bool:
    """Whether programs may write, and run, some gigabytes there."""
    if not os.access(folder, os.W_OK):
        return False
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize > ROOM and not there.f_flag & os.ST_NOEXEC


# One thread a process, set before torch loads and inherited by children: two workers share two
# cores. A test of threads asks for its number by itself.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Importing bitsandbytes loads torch's compiler, 1.3 s in every process. Nothing here compiles.
os.environ["TORCHDYNAMO_DISABLE"] = "1"

# Tests write some 20,000 files. In memory that takes no time; on a slow disk it was half of theirs.
if os.environ.get("TMPDIR") is None and _has_room(MEMORY):
    os.environ["TMPDIR"] = MEMORY
    tempfile.tempdir = None  # asked for before: look again

# On a busy machine an example takes long, and that is no fault.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

FAKES = Path(__file__).resolve().parent / "fake_stages"

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


TRAINED = {"tiny_base", "tiny_adapter", "tiny_nli", "tiny_bundle", "tiny_english"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that takes a trained model is slow; several workers begin with files of slow tests.

    So no worker is left alone with a long test at the end.
    """
    for item in items:
        if TRAINED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])  # a file's tests stay together


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """What tests write in this process need not survive a loss of power.

    A search of 18 trials asked 400 times that its files be on the disk.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def _modules_are_not_searched_for_garbage() -> None:
    """Leave what is loaded out of garbage collection.

    Each training begins with a full collection, which takes most of a second where it looks
    through all of torch and transformers.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _declared_tasks_end_with_their_module() -> Iterator[None]:
    """A task that a test declares is not known to the tests of another module."""
    yield
    from evalsuite.own.declared import declare

    declare({})


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
        root = Path(__file__).resolve().parents[1]
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


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """The hub of this process: an empty one on the loopback, with empty caches, and no waiting."""
    from tests.support.loopback_hub import LoopbackHub

    found = LoopbackHub()
    found.serve(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    yield found
    found.close()
    assert not found.elsewhere, f"asked another host: {found.elsewhere}"


@pytest.fixture(scope="session")
def traces() -> Iterator[None]:
    """Exports of models of one shape share a traced graph."""
    from trace_once import trace_once

    with pytest.MonkeyPatch.context() as patch:
        trace_once(patch)
        yield


@pytest.fixture(scope="session")
def tiny_base(traces: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked-LM checkpoint of 2 layers x 64, a few steps old, on the embedded text."""
    from made_once import made_once

    from evalsuite.task import DataSource
    from transfer.encoder_shape import Shape
    from transfer.loop.fit import Settings
    from transfer.pretrain import Options, pretrain

    source, work = DataSource("embedded"), tmp_path_factory.mktemp("tiny")
    options = Options(
        shape=Shape(layers=2, hidden=64, heads=2, ffn=128, vocabulary=3000, max_length=64),
        steps=4,
        batch_size=8,
        max_length=48,
        max_pairs=300,
        tlm=0.45,
        mask_rate=0.15,
        lexical=True,
        freeze_embeddings=False,
        alpha=0.3,
        languages=("de", "ru", "sw"),
        settings=Settings(1e-3, seed=1, compute="fp32"),
    )
    return made_once("base", lambda out: pretrain(None, source, options, work=work, out=out))


@pytest.fixture(scope="session")
def tagger(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that tags words."""
    from heads import headed

    return headed(tiny_base, "tagging", tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="session")
def tiny_adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter for XNLI, trained a little on the NF4 base."""
    from made_once import made_once
    from quick import options

    from evalsuite.registry import TASKS
    from evalsuite.task import DataSource
    from transfer.loop.fit import Settings
    from transfer.supervised.train_tasks import train_tasks

    work = tmp_path_factory.mktemp("adapter")
    quick = options(
        precision="nf4",
        max_steps=15,
        max_length=48,
        max_examples=200,
        settings=Settings(2e-2, seed=1, compute="fp32"),
        method_options={"rank": 8},
    )
    tasks, source = [TASKS.get("xnli")], DataSource("embedded")
    return made_once(
        "adapter", lambda out: train_tasks(tiny_base, tasks, source, quick, work=work, out=out)
    )


@pytest.fixture(scope="session")
def tiny_nli(tiny_adapter: Path) -> Path:
    """The same, fused: a whole XNLI checkpoint."""
    from made_once import made_once

    from compress.fuse.fuse import fuse
    from evalsuite.registry import TASKS

    return made_once("nli", lambda out: fuse(tiny_adapter, TASKS.get("xnli"), out))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_nli: Path) -> Path:
    """The same, exported to int8."""
    from made_once import made_once

    from compress.export.export import export

    return made_once("bundle", lambda out: export(tiny_nli, out, precision="int8"))


@pytest.fixture(scope="session")
def tiny_english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers x 32 with random weights, its vocabulary from the embedded English."""
    import torch
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer
    from transformers import BertConfig, BertModel

    from evalsuite.data import parallel
    from evalsuite.task import DataSource

    folder = tmp_path_factory.mktemp("english")
    lines = [pair.english for pair in parallel.pairs(DataSource("embedded"), "de")]
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(lines, WordPieceTrainer(vocab_size=900, special_tokens=specials))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        intermediate_size=64,
        max_position_embeddings=96,
        initializer_range=0.05,  # words show through to the last layer
        **shape,
    )
    BertModel(config).save_pretrained(folder)
    return folder
