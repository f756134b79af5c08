"""Tasks read from the Hugging Face hub: its formats, and its errors offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from all_tasks import NO_HUB, every, find

from evalsuite.data import hub
from evalsuite.errors import DataError, OfflineError
from evalsuite.task import Answer, DataSource, HubSource, Split, Task
from evalsuite.tasks import xcopa

HUB = DataSource("hub")


@every
def test_hub_languages(task: Task) -> None:
    split = task.eval_splits[0]
    found = task.available(HUB, split)
    assert set(found) <= set(task.languages)
    if task.hub is None:
        assert found == () and task.name in NO_HUB
        return
    assert len(found) == {"udpos": 33, "panx": 40, "xcopa": 11, "xquad": 11}.get(
        task.name, len(task.languages)
    )
    assert task.files(HUB, split, found[0]) == ()
    translated = task.name in ("xnli", "pawsx", "tydiqa")  # TyDiQA's were asked in them
    wanted = task.languages if translated else ("en",)
    trained = task.available(HUB, "train")
    assert set(trained) == (set(wanted) if task.trains_on else set())
    assert trained[:1] == (("en",) if task.trains_on else ())


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
    answers = {"text": ["1867"], "answer_start": [3]}
    made = {
        "facebook/xnli": (pair, pairs),
        "nyu-mll/multi_nli": (pair, pairs),
        "facebook/anli": (pair, pairs),
        **{
            f"nyu-mll/glue {config}": (
                Features({**dict.fromkeys(keys, text), "label": ClassLabel(names=names)}),
                [{**dict.fromkeys(keys, "a"), "label": 1}],
            )
            for config, keys, names in (
                ("qqp", ("question1", "question2"), ["not_duplicate", "duplicate"]),
                ("rte", ("sentence1", "sentence2"), ["entailment", "not_entailment"]),
            )
        },
        "Rowan/hellaswag": (
            Features({"ctx": text, "endings": List(text), "label": text}),
            [{"ctx": "a", "endings": ["b", "c", "d", "e"], "label": label} for label in ("3", "")],
        ),
        "tau/commonsense_qa": (
            Features(
                {"question": text, "choices": {"label": List(text), "text": List(text)}}
                | {"answerKey": text}
            ),
            [
                {"question": "a", "choices": {"label": [*"ABCDE"], "text": [*"abcde"]}}
                | {"answerKey": "E"}
            ],
        ),
        "allenai/cosmos_qa": (
            Features(
                {"context": text, "question": text, "label": Value("int32")}
                | {f"answer{n}": text for n in range(4)}
            ),
            [
                {"context": "a", "question": "b", "label": label}
                | {f"answer{n}": "c" for n in range(4)}
                for label in (2, -1)
            ],
        ),
        "allenai/social_i_qa": (
            Features(
                dict.fromkeys(
                    ("context", "question", "answerA", "answerB", "answerC", "label"), text
                )
            ),
            [
                dict.fromkeys(("context", "question", "answerA", "answerB", "answerC"), "a")
                | {"label": "3"}
            ],
        ),
        **{
            repo: (
                Features(
                    {
                        **dict.fromkeys(("id", "title", "context", "question"), text),
                        "answers": {"text": List(text), "answer_start": List(Value("int32"))},
                    }
                ),
                [
                    {
                        "id": "swahili-1",
                        "title": "t",
                        "context": "in 1867.",
                        "question": "When?",
                        "answers": answers,
                    },
                    {
                        "id": "finnish-2",
                        "title": "t",
                        "context": "in 1867.",
                        "question": "Who?",
                        "answers": {"text": [], "answer_start": []} if "v2" in repo else answers,
                    },
                ],
            )
            for repo in ("rajpurkar/squad", "rajpurkar/squad_v2")
        },
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
        **{
            repo: (
                Features({**dict.fromkeys(keys, text), "label": label}),
                [{**dict.fromkeys(keys, "a"), "question": "effect", "label": 1}],
            )
            for keys in (("premise", "choice1", "choice2", "question"),)
            for repo, label in (
                ("cambridgeltl/xcopa", Value("int32")),
                ("aps/super_glue", ClassLabel(names=["choice1", "choice2"])),
            )
        },
        "google/xtreme PAWS-X": (
            Features({"sentence1": text, "sentence2": text, "label": text}),
            [{"sentence1": "a", "sentence2": "b", "label": "1"}],
        ),
        **{
            f"google/xtreme {config}": (
                Features(
                    {
                        **dict.fromkeys(("id", "context", "question"), text),
                        "answers": {"text": List(text), "answer_start": List(Value("int32"))},
                    }
                ),
                [
                    {"id": id, "context": "in 1867.", "question": "When?", "answers": answers}
                    for id in ("swahili-1", "finnish-2")
                ],
            )
            for config in ("SQuAD", "XQuAD", "MLQA", "tydiqa")
        },
    }
    asked: list[tuple[str, ...]] = []
    really = datasets.load_dataset

    def answer(repo: str, config: str, *, split: str, revision: str) -> Any:
        asked.append((repo, config, split, revision))
        key = f"{repo} {config.split('.')[0]}"
        key = key if key in made else repo
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
        ("xnli", "train", "de", ("de", "train"), ["contradiction", "entailment"]),
        ("mnli", "dev", "en", ("default", "validation_matched"), ["contradiction", "entailment"]),
        ("snli", "test", "en", ("plain_text", "test"), ["contradiction", "entailment"]),
        ("udpos", "test", "fa", ("udpos.Persian", "test"), [("X", "ADJ")]),
        ("panx", "train", "en", ("PAN-X.en", "train"), [("B-PER", "O")]),
        ("tatoeba", "test", "sw", ("swh-eng", "test"), ["moja"]),
        ("pawsx", "dev", "ko", ("PAWS-X.ko", "validation"), ["1"]),
        ("pawsx", "train", "zh", ("PAWS-X.zh", "train"), ["1"]),
        ("xcopa", "dev", "ht", ("ht", "validation"), [1]),
        ("xcopa", "train", "en", ("copa", "train"), [1]),
        ("xquad", "test", "de", ("XQuAD.de", "validation"), [(Answer("1867", 3),)] * 2),
        ("xquad", "train", "en", ("SQuAD", "train"), [(Answer("1867", 3),)] * 2),
        ("mlqa", "dev", "zh", ("MLQA.zh.zh", "validation"), [(Answer("1867", 3),)] * 2),
        ("tydiqa", "dev", "sw", ("tydiqa", "validation"), [(Answer("1867", 3),)]),
        ("tydiqa", "train", "sw", ("tydiqa", "train"), [(Answer("1867", 3),)]),
        ("qqp", "train", "en", ("qqp", "train"), ["1"]),
        ("rte", "dev", "en", ("rte", "validation"), ["not_entailment"]),
        ("hellaswag", "dev", "en", ("default", "validation"), [3, None]),
        ("commonsenseqa", "train", "en", ("default", "train"), [4]),
        ("cosmosqa", "dev", "en", ("default", "validation"), [2, None]),
        ("siqa", "train", "en", ("default", "train"), [2]),
        ("squad", "dev", "en", ("plain_text", "validation"), [(Answer("1867", 3),)] * 2),
        (
            *("squad2", "train", "en", ("squad_v2", "train")),
            [(Answer("1867", 3),), (Answer("", -1),)],
        ),
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
    fields = {"tagging": "tags", "span": "answers", "retrieval": "foreign"}
    assert [getattr(row, fields.get(found.format, "label")) for row in loaded] == rows
    assert found.hub
    hub = xcopa._COPA if config[0] == "copa" else found.hub
    assert parquet == [(hub.repo, *config, hub.revision)]
    if found.format == "span":
        assert [row.id for row in loaded] == ["swahili-1", "finnish-2"][: len(rows)]
        return
    left_out = found.format == "pair" and len(rows) == 2  # the one between has no gold label
    numbers = (0, 2) if left_out else range(len(rows))
    assert [row.id for row in loaded] == [f"{split}-{language}-{n}" for n in numbers]


def test_anli_comes_with_the_other_two(parquet: list[tuple[str, ...]]) -> None:
    rows: Any = find("anliplus").load(HUB, "dev", "en")
    assert [row.id for row in rows] == [
        f"{name}-dev-en-{n}" for name in ("r1", "r2", "r3", "mnli", "snli") for n in (0, 2)
    ]
    assert [row.label for row in rows] == ["contradiction", "entailment"] * 5
    anli = find("anliplus").hub
    assert anli and [asked[0:3] for asked in parquet] == [
        *((anli.repo, "plain_text", f"dev_r{n}") for n in (1, 2, 3)),
        ("nyu-mll/multi_nli", "default", "validation_matched"),
        ("stanfordnlp/snli", "plain_text", "validation"),
    ]


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
