"""The drawings of docs/concepts.md and of the tutorials.

python -m docs.make.drawings        writes docs/img/drawing-*.svg
"""

from __future__ import annotations

from pathlib import Path

from docs.make.svg import arrow, box, line, picture, text

IMAGES = Path(__file__).resolve().parents[1] / "img"


def stages() -> str:
    """From an encoder to a report: the order of a usual recipe."""
    parts = [
        box(16, 40, 104, 54, "encoder\nXLM-R or yours", "first-box"),
        arrow(120, 67, 144, 67),
        box(144, 40, 104, 54, "train\na task in English"),
        arrow(248, 67, 272, 67),
        box(272, 40, 104, 54, "fuse\nadapter into base"),
        arrow(376, 67, 400, 67),
        box(400, 40, 104, 54, "distill\nfewer layers"),
        arrow(504, 67, 528, 67),
        box(528, 40, 104, 54, "trim\nyour languages"),
        arrow(580, 94, 580, 126),
        box(528, 126, 104, 54, "export\nint8 bundle", "first-box"),
        arrow(528, 153, 504, 153),
        box(400, 126, 104, 54, "evaluate\nzero-shot scores"),
        arrow(400, 153, 376, 153),
        box(272, 126, 104, 54, "benchmark\nsize and speed"),
        arrow(272, 153, 248, 153),
        box(144, 126, 104, 54, "report\none HTML file", "second-box"),
        text(16, 24, "A usual recipe: each box is a stage, and any may be absent", "strong"),
    ]
    meaning = "Encoder, train, fuse, distill, trim, export, then evaluate, benchmark and report."
    return picture("The stages of a usual recipe", meaning, 648, 196, parts)


def cache() -> str:
    """What a stage does before and after it runs."""
    parts = [
        text(16, 24, "One stage: looked up, made, limited, kept", "strong"),
        box(16, 44, 150, 72, "key\nits settings, inputs,\ndata, code version", "box"),
        arrow(166, 80, 196, 80),
        box(196, 44, 120, 72, "in the cache?\nfiles compared\nwith digests"),
        arrow(316, 80, 360, 80),
        text(338, 72, "no", "small", "middle"),
        box(360, 44, 120, 72, "make it\nin a private folder"),
        arrow(480, 80, 510, 80),
        box(510, 44, 138, 72, "gate\nenough answers\nstay the same?", "second-box"),
        arrow(256, 116, 256, 158),
        text(264, 140, "yes", "small"),
        arrow(545, 116, 545, 158),
        text(537, 140, "yes", "small", "end"),
        arrow(620, 116, 620, 158),
        text(628, 140, "no", "small"),
        box(196, 158, 120, 44, "use it as it is", "first-box"),
        box(450, 158, 130, 44, "publish in the cache", "first-box"),
        box(590, 158, 118, 44, "refuse, and say\nwhat lost most", "box"),
    ]
    meaning = "A stage is used from the cache by its key, or made and passed through a gate."
    return picture("Cache and gate", meaning, 720, 218, parts)


def packages() -> str:
    """Which package may import which."""
    parts = [
        text(16, 24, "Four packages; imports go one way", "strong"),
        box(16, 44, 140, 76, "recipes\nreads a recipe,\nruns its stages", "second-box"),
        arrow(156, 82, 192, 82),
        box(192, 44, 140, 76, "compress\nfuse, distill, trim,\nprune, export"),
        arrow(332, 82, 368, 82),
        box(368, 44, 140, 76, "transfer\ntraining, methods,\nintermediate tasks"),
        arrow(508, 82, 544, 82),
        box(544, 44, 140, 76, "evalsuite\ntasks, metrics,\nruntimes, reports", "first-box"),
        text(16, 146, "The command line and `import lingopress` call recipes.", "small"),
        text(16, 164, "evalsuite scores a model without any of the other three.", "small"),
    ]
    meaning = "recipes imports compress, which imports transfer, which imports evalsuite."
    return picture("The four packages", meaning, 700, 178, parts)


def batch() -> str:
    """What rows go through from file to answer."""
    parts = [
        text(16, 24, "From rows to scores", "strong"),
        box(16, 44, 118, 58, "rows\nof a language"),
        arrow(134, 73, 158, 73),
        box(158, 44, 118, 58, "tokens\ntokenizer.json"),
        arrow(276, 73, 300, 73),
        box(300, 44, 118, 58, "batches\nsimilar lengths"),
        arrow(418, 73, 442, 73),
        box(442, 44, 150, 58, "model\none batch per core", "first-box"),
        line(517, 102, 517, 124),
        arrow(517, 118, 517, 136),
        box(442, 136, 150, 58, "logits\nin the order of rows"),
        arrow(442, 165, 418, 165),
        box(300, 136, 118, 58, "answers\nlabels, tags, spans"),
        arrow(300, 165, 276, 165),
        box(158, 136, 118, 58, "metric\nper language"),
        arrow(158, 165, 134, 165),
        box(16, 136, 118, 58, "zero-shot mean\n95% interval", "second-box"),
    ]
    meaning = "Rows are tokenized, sorted into batches, answered, and scored per language."
    return picture("What a batch goes through", meaning, 608, 210, parts)


def cluster() -> str:
    """Stages on several machines that share a workspace."""
    parts = [
        text(16, 24, "One run on several machines", "strong"),
        box(16, 92, 140, 62, "your terminal\nrun --on ray", "first-box"),
        line(156, 123, 186, 123),
        line(186, 67, 186, 179),
    ]
    for place, seed in enumerate((1, 2, 3)):
        y = 44 + 56 * place
        parts += [arrow(186, y + 23, 216, y + 23)]
        parts += [box(216, y, 150, 46, f"node {seed}\ntagger[seed={seed}]")]
        parts += [line(366, y + 23, 396, y + 23)]
    parts += [
        line(396, 67, 396, 179),
        arrow(396, 123, 430, 123),
        box(
            430,
            82,
            190,
            82,
            "workspace\na disk that all nodes see,\nor an address (S3)",
            "second-box",
        ),
        text(16, 226, "A stage that is finished is in the workspace for all of them.", "small"),
    ]
    meaning = "Your terminal sends stages to the nodes of a cluster; all of them see one workspace."
    return picture("One run on several machines", meaning, 640, 240, parts)


DRAWINGS = {
    "stages": stages,
    "cache": cache,
    "packages": packages,
    "batch": batch,
    "cluster": cluster,
}


def main() -> None:
    """Write every drawing."""
    IMAGES.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (IMAGES / f"drawing-{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
