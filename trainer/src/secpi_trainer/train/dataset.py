"""Training rows: reading, tokenising with the completion mask, order and padding."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .. import chat
from ..errors import TrainerError

# The label that PyTorch's cross entropy ignores.
UNTRAINED = -100
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Row:
    """One example: the conversation without any security text, and what the model shall write.

    Without `reasoning` the answer alone is written, as a model does that does not think.
    """

    id: str
    prompt: list[dict[str, str]]
    answer: str
    reasoning: str | None = None


@dataclass(frozen=True)
class Example:
    """A tokenised row; `labels` is `UNTRAINED` on the prompt."""

    row_id: str
    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class TokenisedRows:
    """Rows that fit, and how many did not."""

    examples: list[Example]
    dropped_rows: int
    truncated_rows: int

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of one pass over the rows."""
        return sum(len(example.input_ids) for example in self.examples)

    @property
    def longest_tokens(self) -> int:
        return max((len(example.input_ids) for example in self.examples), default=0)


def _row_problem(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "is not an object"
    if set(value) - {"reasoning"} != {"id", "prompt", "answer"}:
        return "must have exactly the fields id, prompt, answer and, where the model thinks, reasoning"
    if not all(isinstance(value.get(name, ""), str) for name in ("id", "reasoning", "answer")):
        return "id, reasoning and answer must be strings"
    if not isinstance(value["prompt"], list) or value["prompt"] == []:
        return "prompt must be a list of messages"
    for message in value["prompt"]:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            return "each prompt message must have exactly role and content"
        if message["role"] not in ROLES or not isinstance(message["content"], str):
            return f"each role must be one of {', '.join(ROLES)} and each content a string"
    return None


def read_rows(path: Path) -> list[Row]:
    """Reads JSONL rows; raises `DATASET_INVALID` with the line number of the first bad one."""
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                value = json.loads(line)
                problem = _row_problem(value)
            except json.JSONDecodeError as error:
                problem = f"is not JSON ({error.msg})"
            if problem is not None:
                raise TrainerError(
                    "DATASET_INVALID",
                    f"{path.name} line {number}: {problem}",
                    "Rebuild the training file from its artefact.",
                )
            rows.append(Row(**value))
    return rows


def tokenise_row(tokenizer: Any, row: Row, end_of_turn: int) -> Example:
    """Prompt tokens untrained, completion and the end-of-turn token trained.

    Prompt and completion are tokenised apart: at inference the model sees exactly these prompt tokens.
    """
    prompt = chat.prompt_text(tokenizer, row.prompt, thinking=row.reasoning is not None)
    prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    completion = chat.completion_text(prompt, row.reasoning, row.answer)
    completion_ids = [*tokenizer(completion, add_special_tokens=False)["input_ids"], end_of_turn]
    return Example(row.id, prompt_ids + completion_ids, [UNTRAINED] * len(prompt_ids) + completion_ids)


def tokenise_rows(tokenizer: Any, rows: list[Row], max_tokens: int, long_rows: str) -> TokenisedRows:
    """Tokenises all rows under the policy for rows longer than `max_tokens`.

    A truncated row loses its end, so it does not teach the model to stop early. A row whose prompt alone fills the
    window has nothing left to train and is dropped.
    """
    end_of_turn = chat.end_of_turn_token_id(tokenizer)
    examples: list[Example] = []
    dropped = truncated = 0
    for row in rows:
        example = tokenise_row(tokenizer, row, end_of_turn)
        if len(example.input_ids) <= max_tokens:
            examples.append(example)
        elif long_rows == "fail":
            raise TrainerError(
                "RECIPE_INVALID",
                f"maxSequenceTokens: row {row.id} has {len(example.input_ids)} tokens, more than {max_tokens}",
                'Raise maxSequenceTokens, or set longRows to "drop" or "truncate".',
                field="maxSequenceTokens",
            )
        elif long_rows == "truncate" and example.labels[max_tokens - 1] != UNTRAINED:
            examples.append(Example(row.id, example.input_ids[:max_tokens], example.labels[:max_tokens]))
            truncated += 1
        else:
            dropped += 1
    return TokenisedRows(examples, dropped, truncated)


class ScheduledRows(torch.utils.data.Dataset):
    """All rows of all epochs in their final order, so that the data position is just the step.

    Each epoch is a permutation by (seed, epoch). A batch may span two epochs; only the last may be short.
    """

    def __init__(self, examples: list[Example], seed: int, row_count: int) -> None:
        self._examples = examples
        self._order: list[int] = []
        epoch = 0
        while len(self._order) < row_count:
            generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
            self._order.extend(torch.randperm(len(examples), generator=generator).tolist())
            epoch += 1
        del self._order[row_count:]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, position: int) -> Example:
        return self._examples[self._order[position]]


def collate(examples: list[Example], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Right-pads to the longest row: `[rows, tokens]` for input_ids, attention_mask and labels."""
    width = max(len(example.input_ids) for example in examples)

    def padded(values: list[list[int]], fill: int) -> torch.Tensor:
        return torch.tensor([row + [fill] * (width - len(row)) for row in values])

    return {
        "input_ids": padded([example.input_ids for example in examples], pad_token_id),
        "attention_mask": padded([[1] * len(example.input_ids) for example in examples], 0),
        "labels": padded([example.labels for example in examples], UNTRAINED),
    }
