"""Loading the base model and attaching the adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from ..errors import TrainerError
from .config import LoraSettings


def require_model_folder(folder: Path) -> None:
    """Raises `MODEL_NOT_FOUND` unless `folder` looks like a Hugging Face model."""
    if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
        return
    raise TrainerError(
        "MODEL_NOT_FOUND",
        f"{folder.name or folder} is not a Hugging Face model folder: config.json and *.safetensors are expected.",
        "Point modelDir at a model folder, or make the small one with: python -m secpi_trainer prepare-model.",
        field="modelDir",
    )


def pick_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def resolve_precision(requested: str, device: torch.device) -> str:
    """ "auto" is bf16 on a GPU that has it and fp32 elsewhere: on a CPU without matrix units bf16 is slower."""
    if requested != "auto":
        return requested
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def torch_dtype(precision: str) -> torch.dtype:
    return torch.bfloat16 if precision == "bf16" else torch.float32


def load_tokenizer(folder: Path) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.chat_template is None:
        raise TrainerError(
            "MODEL_NOT_FOUND",
            f"{folder.name} has no chat template, so a conversation cannot be rendered.",
            "Use an instruction-tuned model, or add chat_template.jinja to the folder.",
            field="modelDir",
        )
    return tokenizer


def load_base(folder: Path, precision: str, device: torch.device) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch_dtype(precision)).to(device)


def _lora_config(settings: LoraSettings) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        bias="none",
    )


def attach_adapter(base: Any, settings: LoraSettings, model_name: str) -> Any:
    """A fresh adapter in fp32. Its config names the model by `model_name`, not by a path of this machine."""
    try:
        model = get_peft_model(base, _lora_config(settings))
    except ValueError as error:
        raise TrainerError(
            "RECIPE_INVALID",
            f"lora.targetModules: {error}",
            'Name linear modules of the model, or use "all-linear".',
            field="lora.targetModules",
        ) from error
    model.peft_config["default"].base_model_name_or_path = model_name
    return model


def save_adapter(model: Any, folder: Path) -> None:
    """Adapter weights and config in peft's format, without the model card template peft adds.

    peft keeps the target modules as a set, whose order changes from process to process; sorted, equal adapters are
    equal files.
    """
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    config_file = folder / "adapter_config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    if isinstance(config["target_modules"], list):
        config["target_modules"] = sorted(config["target_modules"])
    config_file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def parameter_counts(folder: Path, settings: LoraSettings) -> tuple[Any, int, int]:
    """The model config, base and adapter parameters, counted without allocating any weight."""
    config = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(config)
        base_parameters = base.num_parameters()
        model = attach_adapter(base, settings, folder.name)
    adapter_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return config, base_parameters, adapter_parameters
