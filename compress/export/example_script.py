"""The script in a bundle's README that runs a graph with `tokenizers` and `numpy` alone.

>>> print(GraphScript("onnxruntime", opening, run).text(card))
import json
...
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compress.export.bundle import BundleCard
from evalsuite.formats import tagging

_SCRIPT = """import json
{imports}from pathlib import Path

import numpy as np
import {package}
from tokenizers import Tokenizer

card = json.loads(Path("bundle.json").read_text("utf-8"))
tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.enable_truncation(card["max_length"])
tokenizer.enable_padding(pad_id={pad_id}, pad_token="{pad_token}")
{opening}
{encode}
feeds = {{
    "input_ids": np.array([e.ids for e in encoded], dtype=np.int64){index},
    "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64){index},
}}
{run}{show}"""


@dataclass(frozen=True, slots=True)
class _Head:
    """What a head changes in the script.

    Attributes:
        encode: makes `encoded`; `SENTENCE` stands for a text for an encoder.
        show: prints what the head says; `MISSING` stands for the tag of a word without tokens,
            `POOLED` for the vector of a text.
        outputs: of the graph; `LAST` stands for the last layer.
        variables: the names that `show` gives to them.
        imports: further lines of imports, from the standard library.
        index: of the arrays, for one more axis.
    """

    encode: str
    show: str
    outputs: tuple[str, ...] = ("logits",)
    variables: tuple[str, ...] = ("logits",)
    index: str = ""
    imports: str = ""


_ENCODE = "encoded = tokenizer.encode_batch(lines)"
_PAIRS = f'lines = [("A man is reading.", "Nobody reads.")]\n{_ENCODE}'
_HEADS = {
    "pair": _Head(
        _PAIRS,
        """for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
""",
    ),
    "pair labels": _Head(
        _PAIRS,
        """for line, row in zip(lines, logits):
    print([label for label, logit in zip(card["labels"], row) if logit >= 0], line)
""",
    ),
    "pair score": _Head(
        _PAIRS,
        """for line, row in zip(lines, logits):
    print(dict(zip(card["labels"], row.tolist())), line)
""",
    ),
    "tagging": _Head(
        """lines = [["Maria", "lives", "in", "Berlin"]]
encoded = tokenizer.encode_batch(lines, is_pretokenized=True)""",
        """for line, encoding, row in zip(lines, encoded, logits):
    tags = {}
    for word, best in zip(encoding.word_ids, row.argmax(-1)):
        if word is not None:
            tags.setdefault(word, card["labels"][int(best)])
    print([(word, tags.get(number, MISSING)) for number, word in enumerate(line)])
""",
    ),
    "span": _Head(
        f'lines = [("Where does Maria live?", "Maria lives in Berlin.")]\n{_ENCODE}',
        """for (question, context), encoding, start, end in zip(lines, encoded, starts, ends):
    inside = [t for t, side in enumerate(encoding.sequence_ids) if side == 1]
    spans = [(start[a] + end[b], a, b) for a in inside for b in inside if a <= b < a + 30]
    _, first, last = max(spans)
    begin, end = encoding.offsets[first][0], encoding.offsets[last][1]
    stop = min([encoding.offsets[t][0] for t in inside if t > last], default=len(context))
    while end < stop and unicodedata.category(context[end])[0] == "M":  # a letter's accents
        end += 1
    print(context[begin:end].strip(), question)
""",
        ("start_logits", "end_logits"),
        ("starts", "ends"),
        imports="import unicodedata\n",
    ),
    "choice": _Head(
        """context, choices = "The man turned on the tap.", ["Water came.", "It rained."]
encoded = tokenizer.encode_batch([(context, choice) for choice in choices])""",
        """print(choices[int(logits.argmax())])
""",
        index="[None]",
    ),
    None: _Head(
        f"lines = [SENTENCE]\n{_ENCODE}",
        """for line, encoding, row in zip(lines, encoded, hidden):
    vector = POOLED
    print(line, vector / np.linalg.norm(vector))
""",
        ("hidden_states.LAST",),
        ("hidden",),
    ),
}
_POOLED = {"mean": "row[: sum(encoding.attention_mask)].mean(0)", "cls": "row[0]"}


def sentence(card: BundleCard) -> str:
    """A text for an encoder, with the prefix that it declares, as a string of Python.

    >>> sentence(card)
    '"query: A man is reading."'
    """
    return json.dumps(f"{card.vectors.prefix}A man is reading.", ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class GraphScript:
    """What a runtime adds to the script.

    Attributes:
        package: the package that runs the graph.
        opening: code that opens the file `card["file"]`.
        run: code that computes outputs of the graph from `feeds`, given their names and the
            variables to put them in.
        by_row: whether the graph takes one row, or one choice of a row, at a time.
    """

    package: str
    opening: str
    run: Callable[[Sequence[str], Sequence[str]], str]
    by_row: bool = False

    def text(self, card: BundleCard) -> str:
        """The script."""
        of = _HEADS[card.head if card.answers == "label" else f"pair {card.answers}"]
        outputs = [name.replace("LAST", str(card.layers)) for name in of.outputs]
        missing = repr(tagging.fallback(card.labels)) if card.head == "tagging" else ""
        pooled = _POOLED[card.vectors.pooling]
        pad_id, pad_token = card.padding
        return _SCRIPT.format(
            imports=of.imports,
            package=self.package,
            opening=self.opening,
            encode=of.encode.replace("SENTENCE", sentence(card)),
            index="[:, None]" if of.index and self.by_row else of.index,
            run=self.run(outputs, of.variables),
            show=of.show.replace("MISSING", missing).replace("POOLED", pooled),
            pad_id=pad_id,
            pad_token=pad_token,
        )
