"""Writing the adapter and the merged model, and proving from disk that both do what was trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from .. import chat
from ..durable import whole_folder
from ..errors import TrainerError
from .models import load_base, save_adapter

PROBE_MESSAGES = [{"role": "user", "content": "Write a Python function that reads a file named by the user."}]
# Merging adds the low-rank product into the weights, which rounds once per weight in the model's own precision.
MERGE_TOLERANCE = {"fp32": 2e-3, "bf16": 0.5}


@dataclass(frozen=True)
class Export:
    """Where the results lie and how far the adapter moves the logits of the probe prompt."""

    adapter_dir: Path
    merged_dir: Path
    logits_max_abs_diff: float
    merged_max_abs_diff: float


@torch.no_grad()
def _probe_logits(model: Any, input_ids: torch.Tensor) -> torch.Tensor:
    model.eval()
    return model(input_ids=input_ids, use_cache=False).logits.float().cpu()


def export_adapter(model: Any, output_dir: Path) -> Path:
    """Writes the trained adapter in peft's format."""
    target = output_dir / "adapter"
    with whole_folder(target) as folder:
        save_adapter(model, folder)
    return target


def export_merged(model_dir: Path, adapter_dir: Path, tokenizer: Any, precision: str, device: torch.device) -> Export:
    """Merges the adapter as read back from disk into a fresh base model, and checks both.

    Raises `EXPORT_INVALID` when the adapter changes nothing or the merged model differs from base + adapter.
    """
    merged_dir = adapter_dir.parent / "merged"
    probe = torch.tensor([chat.prompt_token_ids(tokenizer, PROBE_MESSAGES)], device=device)
    base = load_base(model_dir, precision, device)
    base_logits = _probe_logits(base, probe)
    adapted = PeftModel.from_pretrained(base, adapter_dir)
    adapted_logits = _probe_logits(adapted, probe)
    merged = adapted.merge_and_unload()
    with whole_folder(merged_dir) as folder:
        merged.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    del base, adapted, merged

    reloaded_logits = _probe_logits(load_base(merged_dir, precision, device), probe)
    effect = (adapted_logits - base_logits).abs().max().item()
    difference = (reloaded_logits - adapted_logits).abs().max().item()
    if effect == 0.0 or difference > MERGE_TOLERANCE[precision]:
        raise TrainerError(
            "EXPORT_INVALID",
            f"The exported adapter moves the logits by {effect} and the merged model is off by {difference}.",
            "Resume from the last checkpoint to export again; if it persists, report it with the recipe.",
        )
    return Export(adapter_dir, merged_dir, effect, difference)
