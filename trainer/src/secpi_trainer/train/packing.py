"""Several rows in one sequence, each attending to itself only, so that no padding is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from ..errors import TrainerError
from .dataset import UNTRAINED, Example, ScheduledRows

# Sequences that are open at a time. A row goes into the first with room, so none moves further from its random place
# than this many sequences; more of them fill hardly better.
OPEN_SEQUENCES = 32


@dataclass
class _Open:
    examples: list[Example] = field(default_factory=list)
    tokens: int = 0


class PackedRows(torch.utils.data.Dataset):
    """Sequences of at most `max_tokens`, in their final order: the data position is just the step, as without packing.

    The same rows, seed and length give the same sequences. All rows of all epochs are taken in their scheduled order;
    when no open sequence has room, the one that has been open longest is closed first.
    """

    def __init__(self, rows: ScheduledRows, max_tokens: int) -> None:
        self._sequences: list[list[Example]] = []
        open_sequences: list[_Open] = []
        tokens = 0
        for position in range(len(rows)):
            example = rows[position]
            length = len(example.input_ids)
            if length > max_tokens:
                raise ValueError(f"row {example.row_id} has {length} tokens, a sequence holds {max_tokens}")
            tokens += length
            target = next((entry for entry in open_sequences if entry.tokens + length <= max_tokens), None)
            if target is None:
                if len(open_sequences) == OPEN_SEQUENCES:
                    self._sequences.append(open_sequences.pop(0).examples)
                target = _Open()
                open_sequences.append(target)
            target.examples.append(example)
            target.tokens += length
        self._sequences.extend(entry.examples for entry in open_sequences)
        self.row_count = len(rows)
        self.tokens = tokens
        # What share of the sequences' room is used: the rest is what a step has less to do, not padding.
        self.fill_share = tokens / (len(self._sequences) * max_tokens) if self._sequences else 0.0

    def __len__(self) -> int:
        return len(self._sequences)

    def __getitem__(self, position: int) -> list[Example]:
        return self._sequences[position]


def pack_schedule(examples: list[Example], seed: int, row_count: int, max_tokens: int) -> PackedRows:
    """The schedule of `ScheduledRows(examples, seed, row_count)` as packed sequences."""
    return PackedRows(ScheduledRows(examples, seed, row_count), max_tokens)


def collate_packed(sequences: list[list[Example]], attention: str) -> dict[str, Any]:
    """All rows of the sequences one after the other: `[1, tokens]`, with positions that begin anew in each row.

    Without an attention mask, transformers derives a block-diagonal one from such positions (eager, sdpa). Flash
    attention (`attention` begins with "flash") is told where rows begin, so that no layer has to look. The first token
    of a row has no label: it would be predicted from the row before.
    """
    rows = [example for sequence in sequences for example in sequence]
    lengths = [len(row.input_ids) for row in rows]
    batch: dict[str, Any] = {
        "input_ids": torch.tensor([[token for row in rows for token in row.input_ids]]),
        "labels": torch.tensor([[label for row in rows for label in (UNTRAINED, *row.labels[1:])]]),
        "position_ids": torch.tensor([[position for length in lengths for position in range(length)]]),
    }
    if attention.startswith("flash"):
        begins = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32)
        batch |= {"cu_seq_lens_q": begins, "cu_seq_lens_k": begins}
        batch |= {"max_length_q": max(lengths), "max_length_k": max(lengths)}
    return batch


@torch.no_grad()
def require_isolation(model: Any) -> None:
    """Raises `RECIPE_INVALID` when a packed row depends on the one before it, tried on the model itself.

    So is every architecture that carries a state from token to token (recurrent and convolutional layers), whatever it
    is called.
    """
    vocabulary = model.get_input_embeddings().weight.shape[0]
    attention = model.config._attn_implementation

    def row(first: int) -> Example:
        ids = [(first + index) % vocabulary for index in range(8)]
        return Example("", ids, ids)

    def last_logits(before: Example) -> torch.Tensor:
        batch = collate_packed([[before, row(vocabulary // 2)]], attention)
        batch.pop("labels")
        inputs = {name: v.to(model.device) if isinstance(v, torch.Tensor) else v for name, v in batch.items()}
        # Flash attention knows no fp32, in which the weights are when all are trained.
        with torch.autocast(model.device.type, torch.bfloat16, enabled=attention.startswith("flash")):
            return model(**inputs, use_cache=False).logits[0, 8:].float()

    was_training = model.training
    model.eval()
    one, other = last_logits(row(0)), last_logits(row(vocabulary // 3))
    model.train(was_training)
    if (one - other).abs().max().item() > 1e-3 * one.abs().max().item():
        raise TrainerError(
            "RECIPE_INVALID",
            "packing: this model carries something from a packed row into the next",
            "Set packing to false for this model.",
            field="packing",
        )
