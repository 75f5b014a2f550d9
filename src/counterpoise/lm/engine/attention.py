"""Attention of one new token over the cache, on a CPU: plain matrix products in place of a kernel made for many.

PyTorch's fused CPU kernel is made for many query positions. A decoding step has one per row, and there the plain
products of the grouped heads over contiguous keys take a quarter of its time (measured in bfloat16, 256 columns).
Everything but that case goes to the kernel that transformers would use.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

__all__ = ["one_token_attention"]

_NAME = "counterpoise"
# What models pass that changes the result; the plain products know none of it.
_SPECIAL = ("softcap", "s_aux", "position_bias", "cache")


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Query ``[rows, heads, 1, width]``, keys ``[rows, key heads, columns, width]``, mask ``[rows, 1, 1, columns]``."""
    rows, heads, length, width = query.shape
    masked = attention_mask is not None
    if (
        length != 1
        or dropout
        or (masked and (attention_mask.dtype != torch.bool or attention_mask.shape[1] != 1))  # type: ignore[union-attr]
        or any(kwargs.get(name) is not None for name in _SPECIAL)
    ):
        output: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return output
    # The query heads that share a key head become the rows of one matrix.
    grouped = query.reshape(rows, key.shape[1], heads // key.shape[1], width)
    scores = torch.matmul(grouped * (width**-0.5 if scaling is None else scaling), key.transpose(2, 3))
    if attention_mask is not None:
        scores.masked_fill_(~attention_mask, float("-inf"))
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype)
    attended = torch.matmul(weights, value).reshape(rows, heads, 1, value.shape[-1])
    return attended.transpose(1, 2).contiguous(), None


AttentionInterface.register(_NAME, _attend)
AttentionMaskInterface.register(_NAME, sdpa_mask)


@contextlib.contextmanager
def one_token_attention(model: Any) -> Iterator[None]:
    """Let a model decode with it inside the block; models on other devices or with other attention are left alone."""
    if model.device.type != "cpu" or model.config._attn_implementation != "sdpa":
        yield
        return
    model.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        model.set_attn_implementation("sdpa")
