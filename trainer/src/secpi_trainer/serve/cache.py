"""A key-value cache that grows in chunks and drops rows, instead of being copied at every token."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

CHUNK_TOKENS = 64


class ChunkedLayer(DynamicLayer):
    """Keys and values `[rows, heads, tokens, width]` inside larger buffers; `keys` and `values` are views."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._key_buffer = self._grown(key_states, None, 0)
            self._value_buffer = self._grown(value_states, None, 0)
            self._length = 0
        start, end = self._length, self._length + key_states.shape[-2]
        if end > self._key_buffer.shape[-2]:
            self._key_buffer = self._grown(key_states, self._key_buffer, start)
            self._value_buffer = self._grown(value_states, self._value_buffer, start)
        self._key_buffer[:, :, start:end] = key_states
        self._value_buffer[:, :, start:end] = value_states
        self._length = end
        self._set_views()
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        self._key_buffer = self._key_buffer[indices]
        self._value_buffer = self._value_buffer[indices]
        self._set_views()

    def _set_views(self) -> None:
        self.keys = self._key_buffer[:, :, : self._length]
        self.values = self._value_buffer[:, :, : self._length]

    @staticmethod
    def _grown(states: torch.Tensor, old: torch.Tensor | None, used: int) -> torch.Tensor:
        rows, heads, added, width = states.shape
        buffer = states.new_empty(rows, heads, used + added + CHUNK_TOKENS, width)
        if old is not None:
            buffer[:, :, :used] = old[:, :, :used]
        return buffer


def chunked_cache(layers: int) -> Cache:
    """An empty cache for a model of full-attention layers."""
    return Cache(layers=[ChunkedLayer() for _ in range(layers)])
