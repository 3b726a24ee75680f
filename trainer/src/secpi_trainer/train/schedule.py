"""Which rows each step takes: all epochs laid out in their final order, so that the data position is just the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from .config import TrainConfig
from .dataset import Example, ScheduledRows, collate
from .packing import collate_packed, pack_schedule


@dataclass(frozen=True)
class Schedule:
    """`items` are rows, or with packing sequences of several rows; a step takes `batch_rows` of them."""

    items: torch.utils.data.Dataset
    item_tokens: list[int]
    items_per_epoch: float
    total_steps: int
    packed_sequences: int | None
    collate: Callable[[list[Any]], dict[str, Any]]


def plan(config: TrainConfig, examples: list[Example], pad_token_id: int, attention: str) -> Schedule:
    """The same config, rows and seed give the same schedule."""
    total_rows = math.ceil(config.epochs * len(examples))
    if config.packing:
        packed = pack_schedule(examples, config.seed, total_rows, config.max_sequence_tokens)
        tokens = [sum(len(example.input_ids) for example in packed[place]) for place in range(len(packed))]
        per_epoch = len(packed) / config.epochs
        steps = _steps(config, len(packed))
        return Schedule(packed, tokens, per_epoch, steps, len(packed), partial(collate_packed, attention=attention))
    steps = _steps(config, total_rows)
    rows = ScheduledRows(examples, config.seed, min(steps * config.batch_rows, total_rows))
    tokens = [len(rows[place].input_ids) for place in range(len(rows))]
    return Schedule(rows, tokens, len(examples), steps, None, partial(collate, pad_token_id=pad_token_id))


def _steps(config: TrainConfig, items: int) -> int:
    steps = math.ceil(items / config.batch_rows)
    return steps if config.max_steps is None else min(steps, config.max_steps)
