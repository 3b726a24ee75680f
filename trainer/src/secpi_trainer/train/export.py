"""Writing the adapter and the merged model, and proving from disk that both do what was trained."""

from __future__ import annotations

import gc
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import GenerationConfig

from .. import chat
from ..durable import whole_folder
from ..errors import TrainerError
from . import models
from .available import available_bytes
from .config import TrainConfig
from .parameters import stored_parameters

PROBE_MESSAGES = [{"role": "user", "content": "Write a Python function that reads a file named by the user."}]
# How far logits of the merged model may lie from those of base + adapter, as a share of the largest logit: merging
# rounds each weight once in the model's own precision.
MERGE_TOLERANCE = {"fp32": 1e-3, "bf16": 0.1}
# Loading needs a little more than the weights: a file's buffers, the probe's activations.
LOAD_FACTOR = 1.15
# Whatever could load the base must load the result, so these are taken from it as they are, and not as the version of
# transformers that is installed here would write them.
COPIED_FILES = (
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "spiece.model",
    "chat_template.*",
)


@dataclass(frozen=True)
class Export:
    """Where the results lie and how far training moves the logits of the probe prompt.

    `adapter_dir` is null when all weights were trained.
    """

    adapter_dir: Path | None
    merged_dir: Path
    logits_max_abs_diff: float
    merged_max_abs_diff: float


@torch.no_grad()
def _probe_logits(model: Any, input_ids: torch.Tensor) -> torch.Tensor:
    model.eval()
    return model(input_ids=input_ids.to(model.device), use_cache=False).logits.float().cpu()


def _cast_weights(model: Any, dtype: torch.dtype) -> None:
    """One weight at a time, and no buffer: the rotary frequencies stay in fp32, as they are after loading."""
    for parameter in model.parameters():
        parameter.grad = None
        parameter.data = parameter.data.to(dtype)


def _release(model: Any) -> None:
    """Frees the weights in place: the callers' references to `model` would keep them alive."""
    for parameter in model.parameters():
        parameter.grad = None
        parameter.data = torch.empty(0, dtype=parameter.dtype, device=parameter.device)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _roomy_device(model_dir: Path, dtype: torch.dtype, device: torch.device) -> torch.device:
    """`device` when the unquantised model fits there beside what else is held, else the host."""
    needed = LOAD_FACTOR * stored_parameters(model_dir) * dtype.itemsize
    return device if needed <= available_bytes(device) else torch.device("cpu")


def _write_merged(model: Any, model_dir: Path, folder: Path) -> None:
    # The one that came with the base may be refused on saving (a temperature without sampling, say); it is copied.
    model.generation_config = GenerationConfig.from_model_config(model.config)
    model.save_pretrained(folder, max_shard_size=models.SHARD_BYTES)
    for pattern in COPIED_FILES:
        for source in model_dir.glob(pattern):
            if source.is_file():
                shutil.copyfile(source, folder / source.name)
    config = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    name = str(model.dtype).removeprefix("torch.")
    for part in (config, config.get("text_config")):
        if isinstance(part, dict):
            part.update({key: name for key in ("torch_dtype", "dtype") if key in part})
    if "torch_dtype" not in config and "dtype" not in config:
        config["dtype"] = name
    config.pop("_name_or_path", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def export_model(config: TrainConfig, model: Any, tokenizer: Any, precision: str, device: torch.device) -> Export:
    """Writes `adapter/` (unless all weights were trained) and `merged/` below the output folder, and checks both.

    The adapter is merged into the base as it is on disk, in `precision`, never into a quantised one. One copy of the
    model is held at a time: `model` is consumed, its weights are freed. Raises `EXPORT_INVALID` when training changed
    nothing or what is read back differs from what was trained.
    """
    probe = torch.tensor([chat.prompt_token_ids(tokenizer, PROBE_MESSAGES)])
    merged_dir = config.output_dir / "merged"
    dtype = models.torch_dtype(precision)
    adapter_dir: Path | None = None
    if config.method == "full":
        _cast_weights(model, dtype)
        trained_logits = _probe_logits(model, probe)
        with whole_folder(merged_dir) as folder:
            _write_merged(model, config.model_dir, folder)
        _release(model)
        place = _roomy_device(config.model_dir, dtype, device)
        base_logits = _probe_logits(models.load_base(config.model_dir, dtype, place), probe)
    else:
        adapter_dir = config.output_dir / "adapter"
        with whole_folder(adapter_dir) as folder:
            models.save_adapter(model, folder)
        _release(model)
        place = _roomy_device(config.model_dir, dtype, device)
        base = models.load_base(config.model_dir, dtype, place)
        base_logits = _probe_logits(base, probe)
        adapted = PeftModel.from_pretrained(base, adapter_dir)
        trained_logits = _probe_logits(adapted, probe)
        merged = adapted.merge_and_unload()
        with whole_folder(merged_dir) as folder:
            _write_merged(merged, config.model_dir, folder)
        _release(merged)
        del base, adapted, merged
    merged_logits = _probe_logits(models.load_base(merged_dir, dtype, place), probe)
    effect = (trained_logits - base_logits).abs().max().item()
    difference = (merged_logits - trained_logits).abs().max().item()
    # Written so that a difference that is no number fails too.
    if effect > 0 and difference <= MERGE_TOLERANCE[precision] * max(1.0, trained_logits.abs().max().item()):
        return Export(adapter_dir, merged_dir, effect, difference)
    if effect == 0 and config.export_only:
        raise TrainerError(
            "NOTHING_TRAINED",
            "The checkpoint has the weights of the base model: the warm-up begins with a learning rate of 0.",
            "Let the training go on before it is stopped early.",
        )
    raise TrainerError(
        "EXPORT_INVALID",
        f"Training moved the logits by {effect}, and the exported model is off by {difference}.",
        "Resume from the last checkpoint to export again; if it persists, report it with the recipe.",
    )
