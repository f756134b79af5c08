"""The script in a bundle's README that runs a graph with `tokenizers` and `numpy` alone.

>>> print(GraphScript("onnxruntime", opening, run).text("pair", layers=6))
import json
...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SCRIPT = """import json
{imports}
import numpy as np
import {package}
from tokenizers import Tokenizer

card = json.load(open("bundle.json"))
tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.enable_truncation(card["max_length"])
tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
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
        encode: makes `encoded`.
        show: prints what the head says.
        outputs: of the graph; `LAST` stands for the last layer.
        variables: the names that `show` gives to them.
        index: of the arrays, for one more axis.
    """

    encode: str
    show: str
    outputs: tuple[str, ...] = ("logits",)
    variables: tuple[str, ...] = ("logits",)
    index: str = ""


_ENCODE = "encoded = tokenizer.encode_batch(lines)"
_HEADS = {
    "pair": _Head(
        f'lines = [("A man is reading.", "Nobody reads.")]\n{_ENCODE}',
        """for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
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
    print(list(zip(line, tags.values())))
""",
    ),
    "span": _Head(
        f'lines = [("Where does Maria live?", "Maria lives in Berlin.")]\n{_ENCODE}',
        """for (question, context), encoding, start, end in zip(lines, encoded, starts, ends):
    inside = [t for t, side in enumerate(encoding.sequence_ids) if side == 1]
    spans = [(start[a] + end[b], a, b) for a in inside for b in inside if a <= b < a + 30]
    _, first, last = max(spans)
    print(context[encoding.offsets[first][0] : encoding.offsets[last][1]].strip(), question)
""",
        ("start_logits", "end_logits"),
        ("starts", "ends"),
    ),
    "choice": _Head(
        """context, choices = "The man turned on the tap.", ["Water came.", "It rained."]
encoded = tokenizer.encode_batch([(context, choice) for choice in choices])""",
        """print(choices[int(logits[0].argmax())])
""",
        index="[None]",
    ),
    None: _Head(
        f'lines = ["A man is reading."]\n{_ENCODE}',
        """for line, encoding, row in zip(lines, encoded, hidden):
    print(line, row[: sum(encoding.attention_mask)].mean(0)[:4])
""",
        ("hidden_states.LAST",),
        ("hidden",),
    ),
}


@dataclass(frozen=True, slots=True)
class GraphScript:
    """What a runtime adds to the script.

    Attributes:
        package: the package that runs the graph.
        opening: code that opens the file `card["file"]`.
        run: code that computes outputs of the graph from `feeds`, given their names and the
            variables to put them in.
        imports: further lines of imports, from the standard library.
    """

    package: str
    opening: str
    run: Callable[[Sequence[str], Sequence[str]], str]
    imports: str = ""

    def text(self, head: str | None, layers: int) -> str:
        """The script.

        Args:
            head: `pair`, `tagging`, `span` or `choice`; None for an encoder.
            layers: number of hidden layers.
        """
        of = _HEADS[head]
        outputs = [name.replace("LAST", str(layers)) for name in of.outputs]
        return _SCRIPT.format(
            imports=self.imports,
            package=self.package,
            opening=self.opening,
            encode=of.encode,
            index=of.index,
            run=self.run(outputs, of.variables),
            show=of.show,
        )
