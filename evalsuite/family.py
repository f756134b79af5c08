"""What a model family is: where the parts of its models are, and what each of them costs.

>>> family = family_of(model)                     # a DistilBERT of six layers
>>> family.name, len(family.layers(model)), family.sizes(model.config)
('distilbert', 6, Sizes(layers=6, width=768, heads=12, feed_forward=3072))
>>> layer = family.layers(model)[0]
>>> family.projections(layer)["query"].linear is layer.attention.q_lin
True
>>> family.with_layers(model.config, [0, 2, 4]).n_layers
3

A family file (`evalsuite/families/<model_type>.py`, `_` for `-`) holds one module-level `FAMILY`.
Names of config keys are those of transformers' config objects, which know each other's through
their `attribute_map`: `hidden_size` is `dim` in a DistilBERT. A layer here is one of the stack, and
a module of it is named by its path from there. Nothing here imports torch or transformers until it
is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.errors import FamilyError
from evalsuite.family_parts import PARTS, FeedForward, Kept, LayerPaths, Rows, Sizes
from evalsuite.word_width import set_width, word_width

if TYPE_CHECKING:
    from torch import nn

# after-padding: learnt, and the first token has position `pad_token_id + 1`; absolute: learnt, from
# 0; rotary: queries and keys are turned; relative: learnt distances take part in attention.
Positions = Literal["after-padding", "absolute", "rotary", "relative"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family of encoders, of transformers' model type `name`.

    Attributes:
        classes: what the names of its classes in transformers begin with.
        lacking: formats that transformers has no class for in this family.
        stack: path of the list of layers in the encoder.
        layer: where the parts of a layer are.
        final_norm: path in the encoder of a norm after the last layer.
        words: path of the word embeddings in the encoder.
        projection: name of the linear layer that takes narrower word embeddings to the width; it is
            there where a config's `embedding_size` is not its width.
        narrow_tables: positions, and the norm of the embeddings, come before that layer, and are as
            narrow as the words.
        positions: how a model knows the order of its tokens.
        config_names: names of config entries that differ from transformers' standard ones.
        dropout: default of the dropout on attention.
        feed_forward_key: config key of the number of feed-forward units.
        per_layer: config keys that list a value for each layer.
        lora: names of the linear layers that LoRA updates by default: queries and values.
        heads: names of the modules that stand on the encoder for a task, and are trained whole.
        vocabulary: ends of the names of tensors with a row per piece; the word embeddings first.
        kept: vectors of the width, of inputs and of units that a layer keeps: see `Kept`.
        dense_heads: formats whose head has a dense layer of the width before its labels.
        fixed_first: why the first layer cannot be left out of a student, where that is so.
        fixed_dimensions: why a head's dimensions cannot be fewer, where that is so.
        not_first_token: why the last layer cannot compute one token alone, where that is so.
        prefixes: whether its classes take keys and values of tokens that stand before the text.
    """

    name: str
    classes: str
    lacking: frozenset[str] = frozenset()
    stack: str
    layer: LayerPaths
    final_norm: str | None = None
    words: str
    projection: str | None = None
    narrow_tables: bool = False
    positions: Positions
    config_names: Mapping[str, str] = field(default_factory=dict)
    dropout: float = 0.1
    feed_forward_key: str = "intermediate_size"
    per_layer: tuple[str, ...] = ()
    lora: tuple[str, ...]
    heads: tuple[str, ...]
    vocabulary: tuple[str, ...]
    kept: tuple[int, int, int] = (4, 3, 1)
    dense_heads: frozenset[str] = field(default=frozenset({"pair", "choice"}))
    fixed_first: str | None = None
    fixed_dimensions: str | None = None
    not_first_token: str | None = None
    prefixes: bool = True

    def layers(self, model: Any) -> nn.ModuleList:
        """The stack of a model or encoder, the lowest layer first."""
        stack: nn.ModuleList = model.base_model.get_submodule(self.stack)
        return stack

    def stack_name(self, model: Any) -> str:
        """Name of the list of layers among the modules of a model.

        >>> family.stack_name(model)
        'distilbert.transformer.layer'
        """
        encoder = "" if model.base_model is model else f"{model.base_model_prefix}."
        return f"{encoder}{self.stack}"

    def projections(self, layer: nn.Module) -> dict[str, Rows]:
        """Queries, keys and values, in this order."""
        paths = self.layer
        linears: list[Any] = [
            layer.get_submodule(path) for path in (paths.query, paths.key, paths.value)
        ]
        if linears[0] is linears[1]:  # fused
            size = linears[0].out_features // len(PARTS)  # packed weights have other shapes
            starts = [part * size for part in range(len(PARTS))]
        else:
            size, starts = linears[0].out_features, [0] * len(PARTS)
        return {
            name: Rows(linear, start, start + size)
            for name, linear, start in zip(PARTS, linears, starts, strict=True)
        }

    def relative(self, layer: nn.Module) -> list[Rows]:
        """Projections of positions whose rows are cut into heads; most families have none."""
        modules = dict(layer.named_modules())
        found: list[Any] = [modules[path] for path in self.layer.relative if path in modules]
        return [Rows(linear, 0, linear.out_features) for linear in found]

    def head_rows(self, layer: nn.Module) -> list[Rows]:
        """All rows that are cut into heads: `projections` and `relative`."""
        return [*self.projections(layer).values(), *self.relative(layer)]

    def note_heads(self, layer: nn.Module, heads: int, size: int) -> None:
        """Tell a layer's attention that its rows are as many heads, of `size` each."""
        owner = layer.get_submodule(self.layer.query.rpartition(".")[0])
        counts = {"num_attention_heads": heads, "n_heads": heads, "all_head_size": heads * size}
        for name, value in counts.items():
            if hasattr(owner, name):
                setattr(owner, name, value)

    def attention_output(self, layer: nn.Module) -> nn.Linear:
        """The linear layer that joins the heads; its columns are cut into heads."""
        return self._linear(layer, self.layer.output)

    def feed_forward(self, layer: nn.Module) -> FeedForward:
        """The matrices of the feed-forward part."""
        inward = self._linear(layer, self.layer.inward)
        outward = self._linear(layer, self.layer.outward)
        count = outward.in_features
        blocks = 2 if self.layer.gated else 1
        rows = tuple(Rows(inward, block * count, (block + 1) * count) for block in range(blocks))
        return FeedForward(rows, outward)

    def word_embeddings(self, model: Any) -> Any:
        """The table of word embeddings."""
        return model.base_model.get_submodule(self.words)

    @staticmethod
    def _linear(layer: nn.Module, path: str) -> nn.Linear:
        linear: Any = layer.get_submodule(path)
        return linear  # type: ignore[no-any-return]

    def sizes(self, config: Any) -> Sizes:
        """What a config says about a model's shape."""
        return Sizes(
            layers=int(config.num_hidden_layers),
            width=int(config.hidden_size),
            heads=int(config.num_attention_heads),
            feed_forward=int(getattr(config, self.feed_forward_key)),
        )

    def head_size(self, config: Any) -> int:
        """Dimensions of an attention head."""
        return int(config.hidden_size) // int(config.num_attention_heads)

    def longest(self, config: Any) -> int:
        """Tokens of the longest sequence a model takes."""
        return int(config.max_position_embeddings) - self._unused(config)

    def positions_for(self, config: Any, tokens: int) -> int:
        """Positions that a config has to count for sequences of as many tokens."""
        return tokens + self._unused(config)

    def _unused(self, config: Any) -> int:
        """Positions before the first token's."""
        return int(config.pad_token_id) + 1 if self.positions == "after-padding" else 0

    def with_layers(self, config: Any, kept: Sequence[int]) -> Any:
        """A config of these layers alone, in this order.

        Raises:
            FamilyError: the first layer is left out, and its place is bound to it.
        """
        if (reason := self.first_layer_reason(config)) and list(kept[:1]) != [0]:
            raise FamilyError(
                f"layers: a {self.name} cannot be without its first layer: {reason}; keep layer 0"
            )
        changed = _copy(config)
        for key in self.per_layer:
            setattr(changed, key, [getattr(config, key)[number] for number in kept])
        changed.num_hidden_layers = len(kept)
        return changed

    def with_sizes(self, config: Any, sizes: Sizes) -> Any:
        """A config of another width, and of other numbers of heads and units; as many layers.

        Raises:
            FamilyError: as `evalsuite.word_width.set_width`.
        """
        changed = _copy(config)
        set_width(changed, sizes.width, self.name)
        changed.num_attention_heads = sizes.heads
        setattr(changed, self.feed_forward_key, sizes.feed_forward)
        return changed

    def first_layer_reason(self, config: Any) -> str | None:
        """Why a student of this config's model keeps the first layer; None where it need not."""
        return self.fixed_first

    def masked_lm_config(self, config: Any, tensors: Iterable[str]) -> Any:
        """A config whose class for masked LM has the head that a checkpoint stores.

        Args:
            tensors: names of the checkpoint's.
        """
        return config

    def has_biases(self, config: Any) -> bool:
        """Whether any linear layer or norm of the encoder has a bias."""
        return True

    def compared_positions(self, config: Any) -> tuple[int, int]:
        """Relative positions in a layer's attention.

        Returns:
            rows that a layer projects, once for a batch; rows that it compares each token with.
        """
        return 0, 0

    def outside_layers(self, config: Any) -> int:
        """Multiply-adds a token costs in the encoder outside its layers.

        They are those of the step from narrower word embeddings to the width.
        """
        narrow, width = word_width(config), int(config.hidden_size)
        return narrow * width if narrow != width else 0

    def kept_of(self, config: Any) -> Kept:
        """What a layer keeps of a token; measured on transformers' classes.

        torch's attention needs the whole matrix of scores where dropout draws from it.
        """
        other = getattr(config, "attention_dropout", self.dropout)
        dropout = float(getattr(config, "attention_probs_dropout_prob", other))
        return Kept(*self.kept, scores=3 if dropout > 0 else 0)

    def position_projections(self, config: Any) -> int:
        """Matrices of a layer that project relative positions alone."""
        return 0

    def position_rows(self, config: Any) -> int:
        """Rows of the table of positions; none where they are not learnt."""
        learnt = self.positions in ("absolute", "after-padding")
        return int(config.max_position_embeddings) if learnt else 0


def _copy(config: Any) -> Any:
    return type(config).from_dict(config.to_dict())
