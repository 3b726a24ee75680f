"""Which attention kernel the model runs on."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import torch

from ..errors import TrainerError


@dataclass(frozen=True)
class FlashPackage:
    """A package of flash attention, the name transformers knows it by, and the GPU generations it is written for."""

    distribution: str
    module: str
    implementation: str
    generations: range


# By compute capability: 8 is Ampere and Ada, 9 Hopper, 10 to 12 Blackwell. From the README of FlashAttention
# (github.com/Dao-AILab/flash-attention); the first that fits is taken.
FLASH_PACKAGES = (
    FlashPackage("flash-attn-3", "flash_attn_interface", "flash_attention_3", range(9, 10)),
    FlashPackage("flash-attn", "flash_attn", "flash_attention_2", range(8, 13)),
)


def _installed_version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def flash_version() -> str | None:
    """The installed flash attention as `name version`, or null."""
    for package in FLASH_PACKAGES:
        installed = _installed_version(package.distribution)
        if installed is not None:
            return f"{package.distribution} {installed}"
    return None


def _flash_implementation(device: torch.device, precision: str) -> tuple[str | None, str]:
    """The flash kernels that can run here, or null and what hinders them."""
    if device.type != "cuda":
        return None, "this machine has no GPU"
    if precision != "bf16":
        return None, f"its kernels know no {precision}"
    generation = torch.cuda.get_device_capability(device)[0]
    problem = "no flash attention package is installed"
    for package in FLASH_PACKAGES:
        if _installed_version(package.distribution) is None:
            continue
        if generation not in package.generations:
            problem = f"{package.distribution} has no kernels for compute capability {generation}.x"
            continue
        try:
            import_module(package.module)
        except (ImportError, OSError) as error:
            # Built for another torch or CUDA: it would only fail in the first step.
            problem = f"{package.distribution} cannot be loaded: {error}"
            continue
        return package.implementation, ""
    return None, problem


def choose(requested: str, device: torch.device, precision: str) -> str:
    """The name transformers knows the kernels by; "auto" is flash attention where it can run, else PyTorch's own.

    Raises `RECIPE_INVALID` when flash attention is asked for and cannot run here.
    """
    if requested in ("eager", "sdpa"):
        return requested
    implementation, problem = _flash_implementation(device, precision)
    if implementation is not None:
        return implementation
    if requested == "auto":
        return "sdpa"
    raise TrainerError(
        "RECIPE_INVALID",
        f"attention: flash attention cannot run: {problem}",
        'Set attention to "auto" or "sdpa", or install flash-attn on a worker with an Ampere or newer GPU.',
        field="attention",
    )
