"""How many weights a model has, counted without giving them storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from . import models
from .config import TrainConfig


@dataclass(frozen=True)
class ParameterCounts:
    """Weights by what training does with them. `quantised` of the frozen ones are held in 4 bits."""

    model_config: Any
    trainable: int
    frozen: int
    quantised: int


def parameter_counts(config: TrainConfig) -> ParameterCounts:
    """Counted on a model without storage."""
    model_config = AutoConfig.from_pretrained(config.model_dir)
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(model_config)
        total = base.num_parameters()
        if config.method == "full":
            return ParameterCounts(model_config, total, 0, 0)
        output = base.get_output_embeddings()
        linear = [m for m in base.modules() if isinstance(m, torch.nn.Linear) and m is not output]
        quantised = sum(m.weight.numel() for m in linear) if config.method == "qlora" else 0
        model = models.attach_adapter(base, config.lora, config.model_dir.name)
    return ParameterCounts(model_config, models.trainable_parameters(model), total, quantised)


def stored_parameters(model_dir: Path) -> int:
    """Weights of the model on disk."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model_dir)).num_parameters()
