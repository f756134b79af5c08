"""The pinned data sets and XLM-R's repository, in the layout they have on the hub.

>>> serve_data_set(hub, HubSource("facebook/xnli", "b8dd5d7a..."), "sw")

Paths, configurations, splits and columns are those of the pinned commits; docs/hub.md says where
each was read. Rows are made up, a few per split, the same in each. `decoy`, a configuration that
the hub's data sets do not have, holds no rows that anybody should read.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.task import HubSource
from tests.support.loopback_hub import LoopbackHub

SHARDS = "{config}/{split}-00000-of-00001.parquet"
NLI = ("entailment", "neutral", "contradiction")
UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
NER = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Layout:
    """Of one data set, or of the configurations of it whose names begin so.

    Attributes:
        files: path of a split's file.
        features: columns, as `datasets` names their types; a tuple is the names of classes, and a
            list has one of them per item.
        card: whether the commit has a README.md that lists the configurations.
    """

    repo: str
    begins: str
    files: str
    splits: tuple[str, ...]
    features: dict[str, Any]
    rows: Rows
    card: bool = True


_PAIRS: Rows = [{"premise": "a", "hypothesis": "b", "label": label} for label in (2, -1, 0)]
_NLI = {"premise": "string", "hypothesis": "string", "label": NLI}
_ANSWERS = {"text": ["string"], "answer_start": ["int32"]}
_SPAN = {
    **dict.fromkeys(("id", "title", "context", "question"), "string"),
    "answers": _ANSWERS,
}
_COPA = dict.fromkeys(("premise", "choice1", "choice2", "question"), "string")
_COPA_ROWS: Rows = [{**dict.fromkeys(_COPA, "a"), "question": "effect", "label": 1, "idx": 0}]


def _asked(id: str, question: str = "When?", **answers: Any) -> dict[str, Any]:
    found = {"text": ["1867"], "answer_start": [3]} | answers
    return {
        "id": id, "title": "t", "context": "in 1867.", "question": question, "answers": found,
    }  # fmt: skip


_TWO = [_asked("swahili-1"), _asked("finnish-2", "Who?")]
_THREE = ("train", "validation", "test")
LAYOUTS = (
    Layout("facebook/xnli", "", SHARDS, _THREE, _NLI, _PAIRS),
    Layout(
        "nyu-mll/multi_nli", "default", "data/{split}-00000-of-00001.parquet",
        ("train", "validation_matched", "validation_mismatched"),
        {"promptID": "int32", "pairID": "string", **_NLI, "genre": "string"},
        [{"promptID": 1, "pairID": "1n", "genre": "fiction", **row} for row in _PAIRS],
    ),
    Layout("stanfordnlp/snli", "plain_text", SHARDS, _THREE, _NLI, _PAIRS),
    Layout(
        "facebook/anli", "plain_text", SHARDS,
        tuple(f"{split}_r{n}" for n in (1, 2, 3) for split in ("train", "dev", "test")),
        {"uid": "string", **_NLI, "reason": "string"},
        [{"uid": "u", "reason": "", **row} for row in _PAIRS],
    ),
    Layout(
        "nyu-mll/glue", "qqp", SHARDS, _THREE,
        {"question1": "string", "question2": "string", "label": ("not_duplicate", "duplicate"),
         "idx": "int32"},
        [{"question1": "a", "question2": "a", "label": 1, "idx": 0}],
    ),
    Layout(
        "nyu-mll/glue", "rte", SHARDS, _THREE,
        {"sentence1": "string", "sentence2": "string", "label": ("entailment", "not_entailment"),
         "idx": "int32"},
        [{"sentence1": "a", "sentence2": "a", "label": 1, "idx": 0}],
    ),
    Layout(
        "Rowan/hellaswag", "default", "data/{split}-00000-of-00001.parquet", _THREE,
        {"ind": "int32", "activity_label": "string", "ctx_a": "string", "ctx_b": "string",
         "ctx": "string", "endings": ["string"], "source_id": "string", "split": "string",
         "split_type": "string", "label": "string"},
        [{"ind": 1, **dict.fromkeys(("activity_label", "ctx_a", "ctx_b", "source_id"), ""),
          "split": "", "split_type": "", "ctx": "a", "endings": [*"bcde"], "label": label}
         for label in ("3", "")],
    ),
    Layout(
        "tau/commonsense_qa", "default", "data/{split}-00000-of-00001.parquet", _THREE,
        {"id": "string", "question": "string", "question_concept": "string",
         "choices": {"label": ["string"], "text": ["string"]}, "answerKey": "string"},
        [{"id": "1", "question": "a", "question_concept": "b",
          "choices": {"label": [*"ABCDE"], "text": [*"abcde"]}, "answerKey": "E"}],
    ),
    Layout(
        "allenai/cosmos_qa", "default", "default/{split}/0000.parquet", _THREE,
        {"id": "string", "context": "string", "question": "string",
         **{f"answer{n}": "string" for n in range(4)}, "label": "int32"},
        [{"id": "1", "context": "a", "question": "b", "label": label}
         | {f"answer{n}": "c" for n in range(4)} for label in (2, -1)],
        card=False,
    ),
    Layout(
        "allenai/social_i_qa", "default", "default/{split}/0000.parquet", ("train", "validation"),
        dict.fromkeys(
            ("context", "question", "answerA", "answerB", "answerC", "label"), "string"
        ),
        [{**dict.fromkeys(("context", "question", "answerA", "answerB", "answerC"), "a"),
          "label": "3"}],
        card=False,
    ),
    Layout("rajpurkar/squad", "plain_text", SHARDS, ("train", "validation"), _SPAN, _TWO),
    Layout(
        "rajpurkar/squad_v2", "squad_v2", SHARDS, ("train", "validation"), _SPAN,
        [_TWO[0], _asked("finnish-2", "Who?", text=[], answer_start=[])],
    ),
    Layout(
        "google/xtreme", "udpos", SHARDS, _THREE, {"tokens": ["string"], "pos_tags": [UPOS]},
        [{"tokens": ["a", "b"], "pos_tags": [16, 0]}],
    ),
    Layout(
        "google/xtreme", "PAN-X", SHARDS, _THREE,
        {"tokens": ["string"], "ner_tags": [NER], "langs": ["string"]},
        [{"tokens": ["a", "b"], "ner_tags": [1, 0], "langs": ["de", "de"]}],
    ),
    Layout(
        "google/xtreme", "PAWS-X", SHARDS, _THREE,
        dict.fromkeys(("sentence1", "sentence2", "label"), "string"),
        [{"sentence1": "a", "sentence2": "b", "label": "1"}],
    ),
    Layout("google/xtreme", "SQuAD", SHARDS, ("train", "validation"), _SPAN, _TWO),
    Layout("google/xtreme", "tydiqa", SHARDS, ("train", "validation"), _SPAN, _TWO),
    Layout("google/xtreme", "XQuAD", SHARDS, ("validation",), _SPAN, _TWO),
    Layout("google/xtreme", "MLQA", SHARDS, ("validation", "test"), _SPAN, _TWO),
    Layout(
        "mteb/tatoeba-bitext-mining", "", "{split}/{config}.jsonl.gz", ("test",), {},
        [{"sentence1": "moja ", "sentence2": "one", "lang": "swh-eng"}],
    ),
    Layout(
        "cambridgeltl/xcopa", "", SHARDS, ("validation", "test"),
        {**_COPA, "label": "int32", "idx": "int32", "changed": "bool"},
        [{**row, "changed": False} for row in _COPA_ROWS],
    ),
    Layout(
        "aps/super_glue", "copa", SHARDS, _THREE,
        {**_COPA, "idx": "int32", "label": ("choice1", "choice2")}, _COPA_ROWS,
    ),
)  # fmt: skip


def layout_of(repo: str, config: str) -> Layout:
    """The layout of one configuration."""
    return next(one for one in LAYOUTS if one.repo == repo and config.startswith(one.begins))


def serve_data_set(hub: LoopbackHub, source: HubSource, *configs: str) -> None:
    """Put configurations of a pinned data set on the hub, with a decoy where it has a card."""
    serve_layout(hub, layout_of(source.repo, configs[0]), source.revision, *configs)


def serve_layout(hub: LoopbackHub, layout: Layout, commit: str, *configs: str) -> None:
    """The same of a data set in any layout."""
    write = _jsonl if layout.files.endswith(".gz") else _parquet
    contents = {split: write(layout, split) for split in layout.splits}
    decoy = ("decoy",) if layout.card and "{config}" in layout.files else ()
    files = {
        layout.files.format(config=name, split=split): contents[split] if name in configs else b""
        for name in configs + decoy
        for split in layout.splits
    }
    if layout.card:
        files["README.md"] = _card(layout, configs + decoy)
    files[".gitattributes"] = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
    hub.add("dataset", layout.repo, files, commit)


def _features(columns: dict[str, Any]) -> Any:
    from datasets import ClassLabel, Features, List, Value

    def feature(kind: Any) -> Any:
        if isinstance(kind, tuple):
            return ClassLabel(names=list(kind))
        if isinstance(kind, list):
            return List(feature(kind[0]))
        if isinstance(kind, dict):
            return {name: feature(inner) for name, inner in kind.items()}
        return Value(kind)

    return Features({name: feature(kind) for name, kind in columns.items()})


def _parquet(layout: Layout, split: str) -> bytes:
    """The rows, in a file that differs from that of another split."""
    import pyarrow.parquet
    from datasets import Dataset

    table = Dataset.from_list(layout.rows, features=_features(layout.features)).data.table
    named = table.replace_schema_metadata({**(table.schema.metadata or {}), b"split": split})
    out = io.BytesIO()
    pyarrow.parquet.write_table(named, out)
    return out.getvalue()


def _jsonl(layout: Layout, split: str) -> bytes:
    return gzip.compress("".join(json.dumps(row) + "\n" for row in layout.rows).encode(), mtime=0)


def _card(layout: Layout, configs: tuple[str, ...]) -> bytes:
    """A README.md that says which files are which split, and where known the columns."""
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    data = DatasetCardData(language=["en"])
    if layout.features:
        splits = [
            {"name": name, "num_bytes": 1, "num_examples": len(layout.rows)}
            for name in layout.splits
        ]
        info = DatasetInfo(features=_features(layout.features), splits=splits)
        infos = {name: dataclasses.replace(info, config_name=name) for name in configs}
        DatasetInfosDict(infos).to_dataset_card_data(data)
    places = {
        name: {
            "data_files": [
                {
                    "split": split,
                    "path": layout.files.format(config=name, split=split).replace(
                        "-00000-of-00001.parquet", "-*"
                    ),
                }
                for split in layout.splits
            ]
        }
        for name in configs
    }
    MetadataConfigs(places).to_dataset_card_data(data)
    return f"---\n{data}\n---\n\n# Dataset card\n".encode()


XLMR_BASE = "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089"
_XLMR_FILES = (  # of that commit, less those that a checkpoint of transformers has
    *(".gitattributes", "README.md", "flax_model.msgpack", "model.onnx", "pytorch_model.bin"),
    *("sentencepiece.bpe.model", "tf_model.h5"),
)


def serve_xlmr(
    hub: LoopbackHub,
    make: Callable[[Path], Path],
    folder: Path,
    name: str = "FacebookAI/xlm-roberta-base",
) -> str:
    """XLM-R base's repository at its newest commit, around a small checkpoint of the same files."""
    files = dict.fromkeys(_XLMR_FILES, b"not to be read")
    for path in make(folder).iterdir():
        files[path.name] = path.read_bytes()
    files["tokenizer_config.json"] = b'{"model_max_length": 512}'
    return hub.add("model", name, files, XLMR_BASE)
