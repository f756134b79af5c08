"""Which models can get factored word embeddings, and the config of what they become.

>>> problems("xlm-roberta", head="pair", width=160, hidden=384)
["model: has a pair head, which ELECTRA computes in another way ..."]

ELECTRA (Clark et al. 2020) has BERT's layers behind word embeddings of `embedding_size` numbers.
Nothing here imports torch or transformers.
"""

from __future__ import annotations

from typing import Any

from evalsuite.find_family import family_of
from evalsuite.word_width import word_width

ELECTRA = "electra"
FAMILIES = ("bert", ELECTRA, "roberta", "xlm-roberta")
HEADS = ("tagging", "span")  # one linear layer under the same name in all of these families
# Entries of a config that mean the same in ELECTRA.
_KEPT = (
    *("vocab_size", "type_vocab_size", "hidden_act", "initializer_range", "layer_norm_eps"),
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"),
    *("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"),
    *("mask_token_id", "unk_token_id", "id2label", "label2id", "problem_type", "finetuning_task"),
    *("summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout"),
)


def problems(
    family: str | None, head: str | None, width: int, hidden: int | None = None
) -> list[str]:
    """What speaks against factoring a model.

    Args:
        family: its model type; None where it is not known yet.
        head: format of its head; None for an encoder.
        width: numbers per piece that are asked for.
        hidden: the model's width; None where it is not known yet.
    """
    found = []
    if family is not None and family not in FAMILIES:
        found.append(
            f"model: is of the type {family}; word embeddings are factored of the types "
            f"{', '.join(FAMILIES)}, which have ELECTRA's layers"
        )
    if head not in (None, *HEADS) and family != ELECTRA:
        found.append(
            f"model: has a {head} head, which ELECTRA computes in another way; give the encoder "
            f"and train it afterwards (heads that stay: {', '.join(HEADS)})"
        )
    if hidden is not None and width >= hidden:
        found.append(f"width: {width}: the model is {hidden} wide; give fewer")
    return found


def narrow_already(config: Any) -> list[str]:
    """A problem where the word embeddings are narrower than the layers as it is."""
    words, hidden = word_width(config), int(config.hidden_size)
    if words == hidden:
        return []
    return [f"model: its word embeddings are {words} wide and its layers {hidden}: it is factored"]


def entries(config: Any, width: int) -> dict[str, Any]:
    """The `config.json` of a model with factored word embeddings.

    Args:
        config: of the model as it is.
        width: numbers per piece.
    """
    family = family_of(config)
    sizes = family.sizes(config)
    kept = {name: getattr(config, name, None) for name in _KEPT}
    return {name: value for name, value in kept.items() if value is not None} | {
        "model_type": ELECTRA,
        "embedding_size": width,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feed_forward,
        "max_position_embeddings": family.longest(config),
    }
