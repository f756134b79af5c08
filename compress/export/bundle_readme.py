"""The README of a bundle: what is in it, how to run it, and how well it keeps the labels."""

from __future__ import annotations

from compress.export.bundle import BundleCard
from compress.export.registry import EXPORTERS, layouts
from evalsuite.agreement.outputs import Parity

_ANSWERS = {
    "label": "",
    "labels": "; any of them, each with a probability by itself",
    "score": "; a score each, the logit as it is",
}


def readme(card: BundleCard, parity: Parity | None, licence: str | None = None) -> str:
    """The text of `README.md`.

    Args:
        parity: the bundle compared with its checkpoint, where that was measured.
        licence: of the checkpoint, where its README names one.
    """
    exporter = EXPORTERS.get(card.runtime)
    lines = [
        f"- architecture: {card.architecture}, {card.parameters:,} parameters",
        f"- runtime: {card.runtime}, precision: {card.precision}",
        *([f"- word embeddings: {card.embeddings}"] if card.embeddings else ()),
        f"- labels: {', '.join(card.labels) or 'none (an encoder)'}{_ANSWERS[card.answers]}",
        f"- longest input: {card.max_length} tokens",
    ]
    if card.excluded:
        lines.append(f"- parts that stay in fp32: {', '.join(card.excluded)}")
    if card.keep_tokens:
        cuts = sorted(card.keep_tokens.items())
        text = ", ".join(f"{percent}% after layer {layer}" for layer, percent in cuts)
        lines.append(f"- tokens of each text that go on, the most attended ones: {text}")
    lines.append("- to check every file: `sha256sum -c SHA256SUMS`")
    front = ["tags: [multilingual, " + card.runtime + ", lingopress]"]
    if parity is not None:
        front.insert(0, f"language: [{', '.join(map(_quoted, sorted(parity.by_language)))}]")
    if licence is not None:
        front.insert(0, f"license: {licence}")
        lines.append(f"- licence of the checkpoint: {licence}")
    return (
        "---\n" + "\n".join(front) + "\n---\n# Bundle\n\n" + "\n".join(lines) + "\n"
        f"\nRuns with {exporter.requirements(card.precision)}, from this directory:\n\n"
        f"```python\n{exporter.example(card)}```\n"
        + exporter.note(card.precision)
        + (layouts()[card.layout].note(card) if card.layout else "")
        + _made_from(card)
        + _parity(parity)
    )


def _quoted(language: str) -> str:
    """In YAML, `no` would be a boolean."""
    return f'"{language}"' if language in ("no", "on", "off", "yes") else language


def _made_from(card: BundleCard) -> str:
    """Where the weights come from, oldest first."""
    steps = "".join(f"- {step}\n" for step in card.made_from)
    return f"\n## Made from\n\n{steps}" if steps else ""


def _parity(parity: Parity | None) -> str:
    """Labels equal to the checkpoint's, per language."""
    if parity is None:
        return ""
    language, value = parity.worst()
    counted = parity.counted[0].upper() + parity.counted[1:]
    rows = "".join(f"| {code} | {of:.2f} |\n" for code, of in sorted(parity.by_language.items()))
    return (
        f"\n## Compared with the checkpoint\n\n{counted} equal to the checkpoint's on multilingual "
        f"text: {parity.agreement:.2f}% (worst language: {language} {value:.2f}%). Outputs differ "
        f"by at most {parity.maximum:.4g} and by {parity.mean:.4g} on average; the largest output "
        f"is {parity.scale:.4g}.\n\n| language | equal % |\n| --- | --: |\n{rows}"
    )
