"""Loss on rows that nothing is trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .dataset import UNTRAINED, Example, collate
from .metrics import Losses


@torch.no_grad()
def evaluation_loss(
    model: Any, examples: list[Example], *, rows: int, pad_token_id: int, between_batches: Callable[[], None]
) -> float:
    """Mean cross entropy (nats) per trained token over all `examples`, in file order.

    Weighted by tokens, so the result does not depend on `rows`, the batch size, beyond rounding.
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    total_loss, total_tokens = 0.0, 0
    try:
        for start in range(0, len(examples), rows):
            between_batches()
            batch = {name: t.to(device) for name, t in collate(examples[start : start + rows], pad_token_id).items()}
            labels = batch.pop("labels")[:, 1:]
            logits = model(**batch, use_cache=False).logits[:, :-1].float()
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), ignore_index=UNTRAINED, reduction="sum"
            )
            total_loss += losses.item()
            total_tokens += int((labels != UNTRAINED).sum())
    finally:
        model.train(was_training)
    return total_loss / total_tokens


@dataclass(frozen=True)
class Evaluator:
    """Measures held-out loss and the loss on general rows, which shows what a training forgets."""

    held_out: list[Example]
    guard: list[Example]
    rows: int
    pad_token_id: int
    precision: str
    between_batches: Callable[[], None]

    def measure(self, model: Any) -> Losses:
        return Losses(self._loss(model, self.held_out), self._loss(model, self.guard))

    def _loss(self, model: Any, examples: list[Example]) -> float | None:
        if not examples:
            return None
        device = next(model.parameters()).device.type
        # As in training: the weights of a full fine-tuning are fp32, its arithmetic is not.
        with torch.autocast(device, torch.bfloat16, enabled=self.precision == "bf16"):
            return evaluation_loss(
                model,
                examples,
                rows=self.rows,
                pad_token_id=self.pad_token_id,
                between_batches=self.between_batches,
            )
