"""Faster exact linear layers on the CPU.

PyTorch multiplies fp32 matrices with MKL, which on CPUs of other makers runs at a fraction of their speed for the few
rows of a decoding step. oneDNN generates code for the CPU at hand. Its weights are packed once when loading; values and
precision stay fp32, only the order of summation differs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class PackedLinear(nn.Module):
    """An inference-only `nn.Linear` with weights in oneDNN's blocked layout."""

    def __init__(self, linear: nn.Linear, rows: int) -> None:
        super().__init__()
        # The layout is chosen for about this many rows; any number works.
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), rows)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(inputs, self._packed, self._bias, "none", [], "")


def pack_linears(model: Any, rows: int) -> int:
    """Replaces every linear layer of an fp32 CPU model in place; returns how many."""
    replaced = 0
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear and child.weight.dtype == torch.float32 and child.weight.device.type == "cpu":
                setattr(module, name, PackedLinear(child, rows))
                replaced += 1
    return replaced
