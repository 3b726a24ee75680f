"""Refusing early what cannot fit: a memory estimate against what the machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import torch

from ..errors import TrainerError

# Imports, allocator slack and temporary buffers; measured at about this with torch and transformers loaded.
RUNTIME_BYTES = 900 * 2**20
CGROUP_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def available_bytes(device: torch.device) -> int:
    """Free memory: of the GPU, or of the host within its container's limit."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    available = psutil.virtual_memory().available
    for limit_file, usage_file in CGROUP_FILES:
        try:
            limit = int(Path(limit_file).read_text())
            available = min(available, limit - int(Path(usage_file).read_text()))
        except (OSError, ValueError):
            # Absent file or the word "max": no such limit.
            continue
    return available


def estimate_bytes(
    model_config: Any,
    base_parameters: int,
    adapter_parameters: int,
    *,
    weight_bytes: int,
    rows: int,
    tokens: int,
    recompute: bool,
) -> int:
    """Peak bytes of a training step.

    Weights, plus 16 bytes per adapter parameter (fp32 value, gradient, two Adam moments), plus activations: per
    token and layer about 20 hidden and 7 feed-forward vectors, the adapters' dropped-out inputs included (when
    recomputed: one hidden vector, and a single layer's worth), plus three copies of the fp32 logits (value, softmax,
    gradient).
    """
    hidden, layers = model_config.hidden_size, model_config.num_hidden_layers
    feed_forward = getattr(model_config, "intermediate_size", 4 * hidden)
    per_layer = (20 * hidden + 7 * feed_forward) * weight_bytes
    per_token = layers * hidden * weight_bytes + per_layer if recompute else layers * per_layer
    logits = 3 * 4 * model_config.vocab_size
    return (
        RUNTIME_BYTES + base_parameters * weight_bytes + adapter_parameters * 16 + rows * tokens * (per_token + logits)
    )


def require_memory(needed: int, available: int) -> None:
    """Raises `RESOURCES_INSUFFICIENT` when the estimate is above what is free."""
    if needed <= available:
        return
    gib = 2**30
    raise TrainerError(
        "RESOURCES_INSUFFICIENT",
        f"The training needs about {needed / gib:.1f} GiB of memory; {available / gib:.1f} GiB are free.",
        "Lower microBatchRows or maxSequenceTokens, turn gradientCheckpointing on, or use a larger machine.",
        details={"estimateBytes": needed, "availableBytes": available},
    )
