"""Run as a script: measures the peak memory of a short training, for each config in the JSON list on stdin.

Each is trained in a fork of its own, which has imported everything and allocated nothing. Prints a list of
`{"measuredBytes", "estimateBytes"}`, both beyond what the imports hold.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from secpi_trainer.train import attention, memory, models
from secpi_trainer.train.config import TrainConfig, parse_config
from secpi_trainer.train.parameters import parameter_counts

CPU = torch.device("cpu")
ROW_TOKENS = 256


def status_bytes(name: str) -> int:
    """VmRSS (now) or VmHWM (peak) of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def train_two_steps(config: TrainConfig) -> None:
    model = models.load_trainable(config, config.precision, CPU)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    optimiser = torch.optim.AdamW([parameter for parameter in model.parameters() if parameter.requires_grad])
    tokens = torch.arange(config.micro_batch_rows * ROW_TOKENS).view(config.micro_batch_rows, ROW_TOKENS)
    mask = torch.ones_like(tokens)
    mask[0, -1] = 0
    for _ in range(2):
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
            loss = model(input_ids=tokens, labels=tokens, attention_mask=mask, use_cache=False).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()


def measure(values: dict[str, Any]) -> dict[str, int]:
    config = parse_config(values)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        before = status_bytes("VmRSS")
        train_two_steps(config)
        os.write(writer, str(status_bytes("VmHWM") - before).encode())
        os._exit(0)
    os.close(writer)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f"the training with {values} failed")
    measured = int(os.read(reader, 32))
    os.close(reader)
    implementation = attention.choose(config.attention, CPU, config.precision)
    counts = parameter_counts(config)
    estimate = memory.estimate_bytes(counts, config, config.precision, implementation, ROW_TOKENS, CPU)
    return {"measuredBytes": measured, "estimateBytes": estimate - memory.RUNTIME_BYTES}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps([measure(values) for values in json.load(sys.stdin)]))
