"""A request in the form of KServe's second protocol, which several servers answer.

>>> print(script(card, "topics"))
import json
...
"""

from __future__ import annotations

from compress.export.bundle import BundleCard

_SCRIPT = """import json
from urllib.request import Request, urlopen

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.enable_truncation({longest})
encoding = tokenizer.encode({text})
inputs = [
    {{"name": name, "shape": [1, {choices}len(row)], "datatype": "INT64", "data": row}}
    for name, row in (("input_ids", encoding.ids), ("attention_mask", encoding.attention_mask))
]
body = json.dumps({{"inputs": inputs}}).encode()
with urlopen(Request("http://127.0.0.1:8000/v2/models/{name}/infer", body)) as answer:
    for output in json.load(answer)["outputs"]:
        print(output["name"], output["shape"], output["data"][:8])
"""


def script(card: BundleCard, name: str) -> str:
    """Python code that sends one text to a server on this machine.

    Args:
        name: of the model on the server.
    """
    pair = card.head in ("span", "choice")
    return _SCRIPT.format(
        longest=card.max_length,
        text='"Where is it?", "It is in Rome."' if pair else '"A man is reading."',
        choices="1, " if card.head == "choice" else "",
        name=name,
    )
