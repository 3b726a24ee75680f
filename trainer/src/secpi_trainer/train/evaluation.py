"""Held-out loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .dataset import UNTRAINED, Example, collate


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
    model.train(was_training)
    return total_loss / total_tokens
