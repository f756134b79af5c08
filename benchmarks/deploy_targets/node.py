"""transformers.js in node, on its native ONNX Runtime or on WebAssembly as a browser has it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

TITLE = "transformers.js, node"
HEADS = ("pair", "tagging", None)
FORM = "transformers.js"
ANSWERS = Path(__file__).parents[2] / "compress" / "export" / "demo" / "answers.mjs"
SCRIPT = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const [answers, folder] = process.argv.slice(-2);
const { open } = await import(pathToFileURL(answers));
const require = createRequire(folder + "/");
const library = require("@huggingface/transformers");
library.env.allowRemoteModels = false;
library.env.localModelPath = "/";
const { directory, head, rows, settings } = JSON.parse(readFileSync(0));
const start = performance.now();
const bundle = await open(library, directory, settings, { device: "cpu" });
const answer = {
  pair: async (row) => (await bundle.label(row)).label,
  tagging: (row) => bundle.tags(row),
  encoder: async (row) => [...(await bundle.embed(row))],
}[head ?? "encoder"];
await answer(rows[0]);
const loaded = performance.now();
const answers_ = [];
for (const row of rows) answers_.push(await answer(row));
console.log(JSON.stringify({
  load_s: (loaded - start) / 1000, seconds: (performance.now() - loaded) / 1000,
  memory_mb: Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024,
  answers: answers_,
}));
"""


def command(settings: Any) -> list[str] | None:
    """Node with the packages of --library."""
    node = shutil.which("node")
    if node is None or settings.library is None:
        return None
    library = str(settings.library.resolve())
    return [node, "--input-type=module", "-e", SCRIPT, "--", str(ANSWERS), library]
