"""Word embeddings held small while a model runs; only the rows looked up are brought back.

>>> model.set_input_embeddings(QuantizedEmbedding.of(model.get_input_embeddings(), bits=8))

They take the place of a model's `nn.Embedding` and are frozen: codes have no gradient. XLM-R base's
table of 768 MB in fp32 takes 193 MB as int8 rows and 97 MB as int4 rows.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from transfer.precision.row_codes import even_columns, pack, quantize_rows


class QuantizedEmbedding(nn.Module):
    """Codes, and a scale a row in the dtype that rows are given in.

    Attributes:
        codes: int8 `[pieces, width]`; of 4 bits uint8 `[pieces, width / 2]`, the left half of a row
            in the low bits (`transfer.precision.row_codes.pack`).
        scales: `[pieces, 1]`.
        columns: spread and mean of the columns, `[2, width]`, or None where they were rounded as
            they are.
    """

    codes: torch.Tensor
    scales: torch.Tensor
    columns: torch.Tensor | None

    def __init__(
        self,
        codes: torch.Tensor,
        scales: torch.Tensor,
        padding_idx: int | None = None,
        columns: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        self.bits = 4 if codes.dtype == torch.uint8 else 8
        self.num_embeddings = codes.shape[0]
        self.embedding_dim = codes.shape[1] * 8 // self.bits
        self.padding_idx = padding_idx
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)
        self.register_buffer("columns", columns)

    @classmethod
    def of(cls, table: nn.Embedding, bits: int) -> QuantizedEmbedding:
        """A table in 8 or 4 bits.

        Raises:
            ValueError: neither, or 4 bits of rows that do not halve.
        """
        weight = table.weight.detach()
        rows = weight.float().cpu().numpy()
        even = even_columns(rows, bits)
        codes, scales = quantize_rows(rows, bits, even)
        stored = torch.from_numpy(pack(codes) if bits == 4 else codes)
        held = torch.from_numpy(scales).to(weight.dtype)
        columns = None
        if even is not None:
            columns = torch.from_numpy(np.stack([even.spread, even.mean])).to(weight.dtype)
        return cls(stored, held, table.padding_idx, columns).to(weight.device)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """`[..., width]` of ids `[...]`."""
        return self._rows(self.codes[ids], self.scales[ids])

    def dequantized(self) -> torch.Tensor:
        """The whole table, `[pieces, width]`."""
        return self._rows(self.codes, self.scales)

    def _rows(self, codes: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        if self.bits == 4:
            codes = torch.cat([codes & 15, codes >> 4], -1).to(torch.int8) - 8
        rows = codes.to(scales.dtype) * scales
        return rows if self.columns is None else rows * self.columns[0] + self.columns[1]

    def extra_repr(self) -> str:
        """As `nn.Embedding` has it."""
        return f"{self.num_embeddings}, {self.embedding_dim}, bits={self.bits}"
