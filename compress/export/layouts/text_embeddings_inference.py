"""A model of text-embeddings-inference: `onnx/model.onnx`, and what the server reads next to it.

>>> arrange(Path("int8"), card).file
'onnx/model.onnx'

The ONNX Runtime backend of the server (1.9) takes a graph of any family that has `input_ids` and
`attention_mask`. It answers with one vector or one row of scores per text, so it takes encoders,
classifiers and rerankers. From `config.json` it reads the labels; from `1_Pooling/config.json` the
pooling, in two entries that newer versions of sentence-transformers do not write; and from
`sentence_bert_config.json` the longest input, since it would count the positions of some families
wrongly.

Source: router/src/lib.rs and backends/ort/src/lib.rs of huggingface/text-embeddings-inference,
commit 0d124dc.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compress.export.bundle import BundleCard
from compress.export.layouts import _json_files
from compress.export.layouts._graph_file import write_one_file
from evalsuite.retrieval.declared_vectors import LONGEST, POOLING, declared_by

NAME = "text-embeddings-inference"
RUNTIME = "onnxruntime"
FILE = "onnx/model.onnx"
HEADS = ("pair", None)
_POOLINGS = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens"}
_NOTE = """
For text-embeddings-inference, in this folder:

```
text-embeddings-router --model-id . --port 8080
curl 127.0.0.1:8080/{path} -H 'Content-Type: application/json' -d '{body}'
```
"""


def refusal(runtime: str, head: str | None, model_type: str | None = None) -> str | None:
    """Why a bundle cannot have this layout; None where it can.

    >>> refusal("onnxruntime", "tagging")
    'text-embeddings-inference gives one vector or one row of scores per text, so it takes \
encoders and classifiers; serve models of tags, spans and choices with lingopress serve'
    """
    if runtime != RUNTIME:
        return f"{NAME} runs ONNX graphs on processors: set runtime: {RUNTIME}"
    if head not in HEADS:
        return (
            f"{NAME} gives one vector or one row of scores per text, so it takes encoders and "
            "classifiers; serve models of tags, spans and choices with lingopress serve"
        )
    return None


def arrange(folder: Path, card: BundleCard) -> BundleCard:
    """Rewrite the files of a bundle, in place; the card, with the name of the new file.

    Raises:
        ExportError: the graph does not fit into one file.
        ModelError: the files that declare an encoder's vectors are damaged.
    """
    write_one_file(folder / card.file, folder / FILE, card, NAME)
    longest = card.max_length
    if card.labels:
        ids = {label: number for number, label in enumerate(card.labels)}
        names = {str(number): label for label, number in ids.items()}
        _json_files.rewrite(folder / "config.json", {"id2label": names, "label2id": ids})
    else:
        declared = declared_by(folder)
        longest = min(declared.longest or longest, longest)
        _json_files.rewrite(
            folder / POOLING,
            {name: mode == declared.pooling for mode, name in _POOLINGS.items()},
            without=("pooling_mode",),
        )
    _json_files.write(folder / LONGEST, {"max_seq_length": longest})
    return replace(card, file=FILE, layout=NAME)


def note(card: BundleCard) -> str:
    """A paragraph for the README: how the server is started, and asked."""
    path, body = "embed", '{"inputs": ["A man is reading."]}'
    if card.labels:
        raw = ', "raw_scores": true' if card.answers != "label" else ""
        path, body = "predict", f'{{"inputs": ["A man is reading."]{raw}}}'
        if len(card.labels) == 1:
            path, body = "rerank", f'{{"query": "Who?", "texts": ["A man is reading."]{raw}}}'
    return _NOTE.format(path=path, body=body)
