"""What this machine can train with: the worker asks at its start."""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from .train.attention import flash_version
from .train.available import available_bytes
from .train.flops import peak_bf16_flops

NVIDIA_DRIVER_FILE = Path("/proc/driver/nvidia/version")


def _driver_version() -> str | None:
    """The NVIDIA driver's version; known also when CUDA cannot start, because the driver is too old, say."""
    try:
        first_line = NVIDIA_DRIVER_FILE.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError):
        return None
    found = re.search(r"\d+\.\d+(?:\.\d+)?", first_line)
    return None if found is None else found.group()


def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _gpu(index: int) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(index)
    free, total = torch.cuda.mem_get_info(index)
    return {
        "index": index,
        "name": properties.name,
        # As the driver's tools write it, and as CUDA_VISIBLE_DEVICES takes it.
        "uuid": f"{'MIG' if ' MIG ' in properties.name else 'GPU'}-{properties.uuid}",
        "totalBytes": total,
        "freeBytes": free,
        # Below Ampere bf16 is emulated, slower than fp32.
        "bf16": properties.major >= 8,
        "computeCapability": f"{properties.major}.{properties.minor}",
        "peakFlops": peak_bf16_flops(properties.name),
    }


def probe() -> dict[str, Any]:
    """The report; `cuda` is null, and `gpus` empty, where torch cannot use a GPU.

    `freeBytes` is what is left beside this process's own CUDA context, so what a trainer would find.
    `memoryBytes` is the free memory of the host, within its container's limit.
    """
    has_gpu = torch.cuda.is_available()
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda if has_gpu else None,
        "driver": _driver_version(),
        "gpus": [_gpu(index) for index in range(torch.cuda.device_count())] if has_gpu else [],
        "flashAttention": flash_version(),
        "bitsandbytes": _package_version("bitsandbytes"),
        "cpuThreads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memoryBytes": available_bytes(torch.device("cpu")),
    }
