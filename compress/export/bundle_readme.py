"""The deployable directory's card: what is in it, and how to run it without torch."""

from __future__ import annotations

import re
from typing import Any

from evalsuite.agreement.outputs import Parity
from evalsuite.runtimes.openvino import HINTS
from evalsuite.task import CHOICE, SPAN_ENDS

_OPENED = """\
cpu = Path("/proc/cpuinfo")
options = onnxruntime.SessionOptions()
if not (cpu.exists() and "vnni" in cpu.read_text()):  # sums of int8 would overflow
    options.add_session_config_entry("session.x64quantprecision", "1")
session = onnxruntime.InferenceSession(card["file"], options, ["CPUExecutionProvider"])
"""
_PAIR = """import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

card = json.load(open("bundle.json"))
tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.enable_truncation(card["max_length"])
tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
OPENED
lines = [("A man is reading.", "Nobody reads.")]
encoded = tokenizer.encode_batch(lines)
feeds = {
    "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
    "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64),
}
logits = session.run(["logits"], feeds)[0]
for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
""".replace("OPENED", _OPENED)
_TAGS = (
    _PAIR.replace(
        '[("A man is reading.", "Nobody reads.")]', '[["Maria", "lives", "in", "Berlin"]]'
    )
    .replace("encode_batch(lines)", "encode_batch(lines, is_pretokenized=True)")
    .replace(
        """for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
""",
        """for line, encoding, row in zip(lines, encoded, logits):
    tags = {}
    for word, best in zip(encoding.word_ids, row.argmax(-1)):
        if word is not None:
            tags.setdefault(word, card["labels"][int(best)])
    print(list(zip(line, tags.values())))
""",
    )
)
_SPANS = (
    _PAIR.replace(
        '[("A man is reading.", "Nobody reads.")]',
        '[("Where does Maria live?", "Maria lives in Berlin.")]',
    )
    .replace(
        'logits = session.run(["logits"], feeds)[0]',
        'starts, ends = session.run(["start_logits", "end_logits"], feeds)',
    )
    .replace(
        """for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
""",
        """for (question, context), encoding, start, end in zip(lines, encoded, starts, ends):
    inside = [t for t, side in enumerate(encoding.sequence_ids) if side == 1]
    spans = [(start[a] + end[b], a, b) for a in inside for b in inside if a <= b < a + 30]
    _, first, last = max(spans)
    print(context[encoding.offsets[first][0] : encoding.offsets[last][1]].strip(), question)
""",
    )
)
_CHOICES = (
    _PAIR.replace(
        'lines = [("A man is reading.", "Nobody reads.")]\nencoded = tokenizer.encode_batch(lines)',
        """context, choices = "The man turned on the tap.", ["Water came.", "It rained."]
encoded = tokenizer.encode_batch([(context, choice) for choice in choices])""",
    )
    .replace("dtype=np.int64)", "dtype=np.int64)[None]")
    .replace(
        """for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
""",
        """print(choices[int(logits[0].argmax())])
""",
    )
)
_ENCODER = (
    _PAIR.replace('[("A man is reading.", "Nobody reads.")]', '["A man is reading."]')
    .replace("logits = session", "hidden = session")
    .replace('["logits"]', '["hidden_states.LAST"]')
    .replace(
        """for line, row in zip(lines, logits):
    print(card["labels"][int(row.argmax())], line)
""",
        """for line, encoding, row in zip(lines, encoded, hidden):
    print(line, row[: sum(encoding.attention_mask)].mean(0)[:4])
""",
    )
)


_TORCH = """import torch
from transformers import AutoTokenizer, CLASS

tokenizer = AutoTokenizer.from_pretrained(".")
device = "cuda" if torch.cuda.is_available() else "cpu"
model = CLASS.from_pretrained(".", device_map=device).eval()

inputs = tokenizer(TEXT, return_tensors="pt").to(device)
with torch.inference_mode():
    print(model(**inputs))
"""
_TORCH_HEADS = {
    "pair": ("ForSequenceClassification", '"A man is reading.", "Nobody reads."'),
    "tagging": ("ForTokenClassification", '"Maria lives in Berlin"'),
    "span": ("ForQuestionAnswering", '"Where does Maria live?", "Maria lives in Berlin."'),
    None: ("", '"A man is reading."'),
}
_TORCH_CHOICES = (
    _TORCH.replace("CLASS", "AutoModelForMultipleChoice")
    .replace("tokenizer(TEXT,", 'tokenizer(["It is wet."] * 2, ["Water came.", "It is dry."],')
    .replace("**inputs", "**{name: tensor[None] for name, tensor in inputs.items()}")
)


_INT8 = (
    "\nActivations are quantized with one scale a batch, so what runs beside a sentence can change "
    "its logits a little.\nOne sentence at a time gives exactly what `lingopress predict` gives.\n"
)


def example(card: dict[str, Any]) -> str:
    """A Python script that runs the bundle from its own directory."""
    if card["runtime"] == "torch":
        return _torch_example(_head(card))
    script = _onnx_example(card)
    return _in_openvino(script, card["precision"]) if card["runtime"] == "openvino" else script


def _head(card: dict[str, Any]) -> str | None:
    labels = tuple(card["labels"])
    if labels in (SPAN_ENDS, CHOICE):
        return "span" if labels == SPAN_ENDS else "choice"
    if not labels:
        return None
    return "tagging" if "O" in labels or "NOUN" in labels else "pair"


def _torch_example(head: str | None) -> str:
    if head == "choice":
        return _TORCH_CHOICES
    kind, text = _TORCH_HEADS[head]
    return _TORCH.replace("CLASS", f"AutoModel{kind}").replace("TEXT", text)


def _in_openvino(script: str, precision: str) -> str:
    """The same script for OpenVINO, computing in the bundle's precision."""
    script = script.replace("import onnxruntime", "import openvino")
    script = script.replace("from pathlib import Path\n", "")
    script = script.replace(
        _OPENED,
        f'options = {{"INFERENCE_PRECISION_HINT": "{HINTS[precision]}"}}\n'
        'model = openvino.Core().compile_model(card["file"], "CPU", options)\n',
    )
    script = re.sub(r'session\.run\(\["([^"]+)"\], feeds\)\[0\]', r'model(feeds)["\1"]', script)
    return re.sub(
        r"(.* = )session\.run\(\[(.+), (.+)\], feeds\)",
        r"outputs = model(feeds)\n\1outputs[\2], outputs[\3]",
        script,
    )


def _onnx_example(card: dict[str, Any]) -> str:
    script = {"pair": _PAIR, "tagging": _TAGS, "span": _SPANS, "choice": _CHOICES, None: _ENCODER}
    return script[_head(card)].replace("LAST", str(card["layers"]))


def readme(card: dict[str, Any], parity: Parity | None, licence: str | None = None) -> str:
    """README.md of a bundle."""
    labels = list(card["labels"])
    lines = [
        f"- architecture: {card['architecture']}, {card['parameters']:,} parameters",
        f"- runtime: {card['runtime']}, precision: {card['precision']}",
        *([f"- word embeddings: {card['embeddings']}"] if "embeddings" in card else ()),
        f"- labels: {', '.join(labels) or 'none (an encoder)'}",
        f"- longest input: {card['max_length']} tokens",
    ]
    if card.get("excluded"):
        lines.append(f"- left in fp32: {', '.join(card['excluded'])}")
    lines.append("- files are listed with their digests: `sha256sum -c SHA256SUMS`")
    front = ["tags: [multilingual, " + card["runtime"] + ", lingopress]"]
    if parity is not None:
        front.insert(0, f"language: [{', '.join(map(_quoted, sorted(parity.by_language)))}]")
    if licence is not None:
        front.insert(0, f"license: {licence}")
        lines.append(f"- licence of the checkpoint: {licence}")
    note = _INT8 if (card["runtime"], card["precision"]) == ("onnxruntime", "int8") else ""
    return (
        "---\n" + "\n".join(front) + "\n---\n# Bundle\n\n" + "\n".join(lines) + "\n"
        f"\nRuns with {_needs(card)}, from this directory:\n\n"
        f"```python\n{example(card)}```\n" + note + _made_from(card) + _parity(parity)
    )


def _needs(card: dict[str, Any]) -> str:
    if card["runtime"] != "torch":
        return f"`{card['runtime']}`, `tokenizers` and `numpy` alone"
    held = card["precision"] in ("int8", "nf4")
    return "`torch` and `transformers`" + (" and `bitsandbytes`" if held else "")


def _quoted(language: str) -> str:
    """`no` would be a boolean."""
    return f'"{language}"' if language in ("no", "on", "off", "yes") else language


def _made_from(card: dict[str, Any]) -> str:
    """Where the weights come from, oldest first."""
    steps = card.get("made_from", [])
    return "\n## Made from\n\n" + "".join(f"- {step}\n" for step in steps) if steps else ""


def _parity(parity: Parity | None) -> str:
    """Labels equal to the checkpoint's, language by language."""
    if parity is None:
        return ""
    language, value = parity.worst()
    rows = "".join(f"| {code} | {of:.2f} |\n" for code, of in sorted(parity.by_language.items()))
    return (
        f"\n## Against the checkpoint\n\nLabels equal to the checkpoint's on multilingual text: "
        f"{parity.agreement:.2f}% (worst language: {language} {value:.2f}%). Outputs differ by up "
        f"to {parity.maximum:.4g}, on average by {parity.mean:.4g}, where the largest is "
        f"{parity.scale:.4g}.\n\n| language | equal % |\n| --- | --: |\n{rows}"
    )
