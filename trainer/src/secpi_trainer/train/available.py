"""How much memory is free, without loading more than torch."""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

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
