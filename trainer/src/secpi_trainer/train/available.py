"""How much memory is free, without loading more than torch."""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

# Limit, usage, statistics, and what is said there of the page cache: version 2 of cgroups, then version 1.
CGROUP_FILES = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", ("inactive_file", "active_file")),
    (
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)


def available_bytes(device: torch.device) -> int:
    """Free memory: of the GPU, or of the host within its container's limit."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    available = psutil.virtual_memory().available
    for folder, limit_file, usage_file, cache_fields in CGROUP_FILES:
        try:
            limit = int((Path(folder) / limit_file).read_text())
            usage = int((Path(folder) / usage_file).read_text()) - _page_cache(Path(folder), cache_fields)
            available = min(available, limit - usage)
        except (OSError, ValueError):
            # Absent file or the word "max": no such limit.
            continue
    return available


def _page_cache(folder: Path, fields: tuple[str, ...]) -> int:
    """Bytes of files read or written: counted as used, and given back as soon as somebody needs them."""
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return sum(int(stat.get(field, 0)) for field in fields)
