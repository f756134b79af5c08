"""The tasks: all of them are found, are complete, and read from every source."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evalsuite import catalog, languages, metrics, tasks
from evalsuite.data import hub
from evalsuite.errors import (
    DataError,
    MalformedRowError,
    MissingDataError,
    OfflineError,
    UnknownNameError,
)
from evalsuite.task import (
    DataSource,
    HubSource,
    PairExample,
    ParallelExample,
    Split,
    TagExample,
    Task,
)
from transfer import intermediate

TARGET = ("panx", "tatoeba", "udpos", "xnli")
INTERMEDIATE = ("mnli", "snli")
ALL = [tasks.get(name) for name in TARGET] + [intermediate.get(name) for name in INTERMEDIATE]
KIND = {"pair": PairExample, "tagging": TagExample, "retrieval": ParallelExample}
HUB, EMBEDDED = DataSource("hub"), DataSource("embedded")


def every(test: Any) -> Any:
    return pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)(test)


def test_the_catalogues_are_their_files() -> None:
    assert tasks.names() == TARGET
    assert intermediate.names() == INTERMEDIATE
    assert len(ALL) == 6


def test_listing_imports_no_task() -> None:
    code = (
        "import sys; from evalsuite import tasks; tasks.names(); "
        "print([m for m in sys.modules if m.startswith('evalsuite.tasks.')"
        " or m in ('torch', 'numpy', 'datasets')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown task 'xnly'; did you mean 'xnli'\?"):
        tasks.get("xnly")
    with pytest.raises(UnknownNameError, match=r"unknown intermediate task 'mnl'; did you mean"):
        intermediate.get("mnl")
    with pytest.raises(UnknownNameError):
        tasks.get("__init__")
    assert catalog.names("evalsuite.no_such_package") == ()


@every
def test_metadata(task: Task) -> None:
    assert task.format in KIND
    assert task.metric in metrics.names()
    assert bool(task.labels) == (task.format != "retrieval")
    assert list(task.languages) == sorted(set(task.languages))
    assert set(task.languages) <= set(languages.LANGUAGES)
    assert "en" in task.languages or task.name == "tatoeba"
    assert isinstance(task.hub, HubSource)
    assert re.fullmatch(r"[0-9a-f]{40}", task.hub.revision)
    assert set(task.eval_splits) <= {"dev", "test"}
    for text in (task.title, task.layout, task.licence, task.citation):
        assert text.strip() == text != ""
    assert task.url.startswith("https://")
    module = sys.modules[type(task).__module__]
    assert module.__name__.endswith(f".{task.name}")
    assert module.__doc__
    assert task.name in module.__doc__.lower().replace("-", "")


def test_languages_of_the_benchmark() -> None:
    counts = {name: len(tasks.get(name).languages) for name in TARGET}
    assert counts == {"xnli": 15, "udpos": 38, "panx": 48, "tatoeba": 41}
    seen = set().union(*(tasks.get(name).languages for name in TARGET))
    assert {"ht", "qu", "wo"} <= {*seen, "ht"} <= set(languages.LANGUAGES)
    assert len({entry.iso3 for entry in languages.LANGUAGES.values()}) == len(languages.LANGUAGES)
    with pytest.raises(UnknownNameError, match="unknown language 'swa'; did you mean 'sw'"):
        languages.get("swa")


# --- XTREME directories -------------------------------------------------------------------


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def xtreme(tmp_path: Path) -> DataSource:
    """A directory as the XTREME scripts fill it: test files hide their labels."""
    pair = "Mtu amelala.\tMtu yuko macho.\t{}\n"
    write(tmp_path / "xnli/train-en.tsv", pair.format("contradictory"))
    write(tmp_path / "xnli/dev-en.tsv", pair.format("neutral"))
    write(tmp_path / "xnli/dev-sw.tsv", pair.format("entailment") * 2)
    write(tmp_path / "xnli/dev-xx.tsv", pair.format("entailment"))
    write(tmp_path / "xnli/test-sw.tsv", "Mtu amelala.\tMtu yuko macho.\n")
    write(tmp_path / "snli/train-en.tsv", pair.format("-") + pair.format("neutral"))
    write(tmp_path / "udpos/train-en.tsv", "Go\tVERB\n.\tPUNCT\n\nOn\tADV\n")
    write(tmp_path / "udpos/test-de.tsv", "Geh\nhin\n")
    write(tmp_path / "panx/dev-de.tsv", "de:Anton\tB-PER\nde:de:facto\tO\n\nde:\tO\n")
    write(tmp_path / "tatoeba/tatoeba.swh-eng.swh", "moja\nmbili\n")
    write(tmp_path / "tatoeba/tatoeba.swh-eng.eng", "one\ntwo\n")
    return DataSource("xtreme", tmp_path)


@pytest.mark.parametrize(
    ("task", "split", "available"),
    [
        ("xnli", "train", ("en",)),
        ("xnli", "dev", ("en", "sw", "xx")),
        ("xnli", "test", ()),
        ("snli", "train", ("en",)),
        ("mnli", "train", ("en",)),
        ("mnli", "dev", ()),
        ("udpos", "train", ("en",)),
        ("udpos", "test", ()),
        ("panx", "dev", ("de",)),
        ("panx", "test", ()),
        ("tatoeba", "test", ("sw",)),
        ("tatoeba", "dev", ()),
    ],
)
def test_available(xtreme: DataSource, task: str, split: Split, available: tuple[str]) -> None:
    found = find(task)
    assert found.available(xtreme, split) == available
    for language in available:
        assert all(path.exists() for path in found.files(xtreme, split, language))
        rows = found.load(xtreme, split, language)
        assert len({row.id for row in rows}) == len(rows) > 0
        assert all(isinstance(row, KIND[found.format]) for row in rows)


def find(name: str) -> Task:
    return next(task for task in ALL if task.name == name)


def test_rows(xtreme: DataSource) -> None:
    rows = find("xnli").load(xtreme, "train", "en")
    assert rows == [
        PairExample("train-en-0", "Mtu amelala.", "Mtu yuko macho.", "contradiction"),
    ]
    assert find("xnli").load(xtreme, "test", "sw")[0].label is None  # type: ignore[union-attr]
    assert find("mnli").load(xtreme, "train", "en") == rows
    assert [row.id for row in find("snli").load(xtreme, "train", "en")] == ["train-en-1"]
    assert find("udpos").load(xtreme, "test", "de") == [TagExample("test-de-0", ("Geh", "hin"), ())]
    assert find("panx").load(xtreme, "dev", "de") == [
        TagExample("dev-de-0", ("Anton", "de:facto"), ("B-PER", "O")),
        TagExample("dev-de-1", ("de:",), ("O",)),
    ]
    assert find("tatoeba").load(xtreme, "test", "sw")[1] == ParallelExample(
        "test-sw-1", "mbili", "two"
    )


def test_hidden_labels_are_not_scored(xtreme: DataSource) -> None:
    assert find("xnli").eval_split(xtreme) == "dev"


def test_a_prefix_that_not_every_word_has_stays(xtreme: DataSource) -> None:
    assert xtreme.data_dir
    write(xtreme.data_dir / "panx/dev-de.tsv", "de:facto\tO\ngilt\tO\n")
    assert find("panx").load(xtreme, "dev", "de")[0].words[0] == "de:facto"  # type: ignore


@every
def test_unknown_and_absent_languages(task: Task, xtreme: DataSource) -> None:
    for source in (xtreme, HUB):
        with pytest.raises(UnknownNameError, match=f"unknown language of {task.name} 'no'"):
            task.load(source, task.eval_splits[0], "no")
    with pytest.raises(MissingDataError, match="there is no"):
        task.load(xtreme, task.eval_splits[0], task.languages[0])


def test_missing_training_data_names_another_task(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="train on the `snli` intermediate task"):
        find("xnli").load(DataSource("xtreme", tmp_path), "train", "en")


@every
def test_directory_problems(task: Task, tmp_path: Path) -> None:
    split = task.eval_splits[0]
    with pytest.raises(DataError, match="type: --data-dir"):
        task.load(DataSource("xtreme"), split, "en")
    with pytest.raises(DataError, match="there is no such directory"):
        task.load(DataSource("xtreme", tmp_path / "nowhere"), split, "en")


def test_labels_outside_the_set(xtreme: DataSource) -> None:
    assert xtreme.data_dir
    write(xtreme.data_dir / "xnli/dev-sw.tsv", "a\tb\tneutral\na\tb\tmaybe\n")
    with pytest.raises(MalformedRowError) as caught:
        find("xnli").load(xtreme, "dev", "sw")
    assert str(caught.value).endswith(
        "dev-sw.tsv:2: unknown label 'maybe'; allowed: entailment, neutral, contradiction"
    )
    write(xtreme.data_dir / "panx/dev-de.tsv", "Anton\tB-MISC\n")
    with pytest.raises(MalformedRowError, match=r"dev-de\.tsv:1: unknown tag 'B-MISC'; allowed: O"):
        find("panx").load(xtreme, "dev", "de")


def test_sorted_tatoeba_is_refused(tmp_path: Path) -> None:
    for side in ("af", "en"):
        write(tmp_path / f"tatoeba/af-en.{side}", "a\nb\n")
    source, task = DataSource("xtreme", tmp_path), find("tatoeba")
    assert task.available(source, "test") == ()
    with pytest.raises(DataError) as caught:
        task.load(source, "test", "af")
    text = str(caught.value)
    assert "wrote this file's English side sorted" in text
    assert "tatoeba.afr-eng.afr and tatoeba.afr-eng.eng" in text


# --- the embedded suite -------------------------------------------------------------------


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in for `evalsuite.data.embedded`, so that only the wiring is tested here."""
    module: Any = ModuleType("evalsuite.data.embedded")
    module.LANGUAGES = ("de", "en", "sw")
    module.nli = lambda split, language: [PairExample(f"{split}-{language}", "a", "b", "neutral")]
    module.pos = lambda split, language: [TagExample(f"{split}-{language}", ("a",), ("X",))]
    module.ner = lambda split, language: [TagExample(f"{split}-{language}", ("a",), ("O",))]
    module.parallel = lambda split, language: [ParallelExample(f"{split}-{language}", "a", "b")]
    monkeypatch.setitem(sys.modules, "evalsuite.data.embedded", module)
    monkeypatch.setattr("evalsuite.data.embedded", module, raising=False)
    return module  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("task", "split", "available"),
    [
        ("xnli", "train", ("en",)),
        ("xnli", "test", ("en", "de", "sw")),
        ("xnli", "dev", ("en", "de", "sw")),
        ("udpos", "test", ("en", "de", "sw")),
        ("panx", "test", ("en", "de", "sw")),
        ("tatoeba", "test", ("de", "sw")),
        ("tatoeba", "train", ()),
        ("mnli", "train", ("en",)),
        ("mnli", "dev", ()),
        ("snli", "train", ()),
    ],
)
def test_embedded(suite: ModuleType, task: str, split: Split, available: tuple[str]) -> None:
    found = find(task)
    assert found.available(EMBEDDED, split) == available
    assert found.files(EMBEDDED, split, "en") == ()
    for language in available:
        (row,) = found.load(EMBEDDED, split, language)
        assert isinstance(row, KIND[found.format])
        assert row.id == f"{'intermediate' if task == 'mnli' else split}-{language}"


@every
def test_the_real_embedded_suite(task: Task) -> None:
    from evalsuite.data import embedded

    read = 0
    for split in ("train", "test"):
        for language in task.available(EMBEDDED, split)[:2]:
            rows = task.load(EMBEDDED, split, language)
            assert {type(row) for row in rows} == {KIND[task.format]}
            if task.format == "tagging":
                tags = {tag for row in rows for tag in row.tags}  # type: ignore[union-attr]
                assert tags <= set(task.labels)
            read += 1
    assert read == {"snli": 0, "mnli": 1, "tatoeba": 2}.get(task.name, 3)
    assert len(task.available(EMBEDDED, "test")) == {
        "snli": 0,
        "mnli": 0,
        "tatoeba": len(embedded.LANGUAGES) - 1,
    }.get(task.name, len(embedded.LANGUAGES))


def test_embedded_has_not_everything(suite: ModuleType) -> None:
    with pytest.raises(DataError, match=r"no snli train rows in 'en'; it has: no language"):
        find("snli").load(EMBEDDED, "train", "en")
    with pytest.raises(DataError, match=r"no xnli test rows in 'fr'; it has: en, de, sw"):
        find("xnli").load(EMBEDDED, "test", "fr")


# --- the hub ------------------------------------------------------------------------------


@every
def test_hub_languages(task: Task) -> None:
    split = task.eval_splits[0]
    found = task.available(HUB, split)
    assert set(found) <= set(task.languages)
    assert len(found) == {"udpos": 33, "panx": 40}.get(task.name, len(task.languages))
    assert task.files(HUB, split, found[0]) == ()
    assert task.available(HUB, "train") == (("en",) if task.trains_on else ())


def test_hub_copy_without_a_language() -> None:
    with pytest.raises(DataError, match="the hub source has no udpos test rows in 'pl'"):
        find("udpos").load(HUB, "test", "pl")
    assert "th" not in find("udpos").available(HUB, "dev")


@pytest.fixture
def parquet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[tuple[str, ...]]]:
    """Answers `load_dataset` with parquet files in the hub copies' own formats."""
    import datasets
    from datasets import ClassLabel, Dataset, Features, List, Value

    nli = ["entailment", "neutral", "contradiction"]
    text = Value("string")
    pair = Features({"premise": text, "hypothesis": text, "label": ClassLabel(names=nli)})
    pairs = [{"premise": "a", "hypothesis": "b", "label": n} for n in (2, -1, 0)]
    udpos, panx = find("udpos").labels[::-1], find("panx").labels
    made = {
        "facebook/xnli": (pair, pairs),
        "nyu-mll/multi_nli": (pair, pairs),
        "stanfordnlp/snli": (pair, pairs),
        "google/xtreme udpos": (
            # ids in another order than ours: names must come from the data set
            Features({"tokens": List(text), "pos_tags": List(ClassLabel(names=list(udpos)))}),
            [{"tokens": ["a", "b"], "pos_tags": [0, 16]}],
        ),
        "google/xtreme PAN-X": (
            Features(
                {
                    "tokens": List(text),
                    "ner_tags": List(ClassLabel(names=list(panx))),
                    "langs": List(text),
                }
            ),
            [{"tokens": ["a", "b"], "ner_tags": [1, 0], "langs": ["de", "de"]}],
        ),
        "mteb/tatoeba-bitext-mining": (
            Features({"sentence1": text, "sentence2": text, "lang": text}),
            [{"sentence1": "moja ", "sentence2": "one", "lang": "swh-eng"}],
        ),
    }
    asked: list[tuple[str, ...]] = []
    really = datasets.load_dataset

    def answer(repo: str, config: str, *, split: str, revision: str) -> Any:
        asked.append((repo, config, split, revision))
        key = f"{repo} {config.split('.')[0]}" if repo == "google/xtreme" else repo
        features, rows = made[key]
        file = tmp_path / f"{len(asked)}.parquet"
        Dataset.from_list(rows, features=features).to_parquet(file)
        return really(
            "parquet",
            data_files={split: str(file)},
            split=split,
            cache_dir=str(tmp_path / "cache"),
        )

    monkeypatch.setattr(datasets, "load_dataset", answer)
    monkeypatch.setattr(datasets, "is_progress_bar_enabled", lambda: False, raising=False)
    yield asked


@pytest.mark.parametrize(
    ("task", "split", "language", "config", "rows"),
    [
        ("xnli", "dev", "sw", ("sw", "validation"), ["contradiction", "entailment"]),
        ("mnli", "dev", "en", ("default", "validation_matched"), ["contradiction", "entailment"]),
        ("snli", "test", "en", ("plain_text", "test"), ["contradiction", "entailment"]),
        ("udpos", "test", "fa", ("udpos.Persian", "test"), [("X", "ADJ")]),
        ("panx", "train", "en", ("PAN-X.en", "train"), [("B-PER", "O")]),
        ("tatoeba", "test", "sw", ("swh-eng", "test"), ["moja"]),
    ],
)
def test_hub_rows(
    parquet: list[tuple[str, ...]],
    task: str,
    split: Split,
    language: str,
    config: tuple[str, str],
    rows: list[Any],
) -> None:
    found = find(task)
    loaded: Any = found.load(HUB, split, language)
    field = {"pair": "label", "tagging": "tags", "retrieval": "foreign"}[found.format]
    assert [getattr(row, field) for row in loaded] == rows
    assert found.hub
    assert parquet == [(found.hub.repo, *config, found.hub.revision)]
    expected = [f"{split}-{language}-{n}" for n in ((0, 2) if found.format == "pair" else (0,))]
    assert [row.id for row in loaded] == expected


@pytest.mark.parametrize("offline", ["0", "1"])
def test_no_network(monkeypatch: pytest.MonkeyPatch, offline: str) -> None:
    import datasets

    def fail(*args: object, **kwargs: object) -> None:
        raise ConnectionError("Couldn't reach 'facebook/xnli' on the Hub\nlong trace")

    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(OfflineError) as caught:
        find("xnli").load(HUB, "test", "sw")
    text = str(caught.value)
    assert text.startswith(
        "cannot read facebook/xnli (config sw, split test, revision b8dd5d7af511)"
    )
    assert "ConnectionError: Couldn't reach 'facebook/xnli' on the Hub\n" in text
    assert "long trace" not in text
    assert ("HF_HUB_OFFLINE is set" in text) == (offline == "1")
    for hint in ("--data-dir", "source: embedded", "HF_HOME"):
        assert hint in text


def test_no_such_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError("BuilderConfig 'qq' not found")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DataError, match=r"the Hugging Face hub has no a/b .*'qq' not found"):
        next(hub.rows(HubSource("a/b", "0" * 40), "qq", "test"))
