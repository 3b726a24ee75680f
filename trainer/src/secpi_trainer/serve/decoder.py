"""Batched decoding: one prefill, then token by token, with finished rows leaving the batch."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from .. import chat
from .cache import chunked_cache
from .packed import pack_linears
from .sampling import next_tokens

# Dropping rows copies the cache, so it is done once this share of the rows has finished.
COMPACTION_SHARE = 0.125


@dataclass
class Sequence:
    """One text to write. `seed` alone decides its random numbers."""

    prompt_ids: list[int]
    max_new_tokens: int
    temperature: float
    top_p: float
    stop: list[str]
    seed: int
    new_ids: list[int] = field(default_factory=list)
    text: str | None = None
    finish_reason: Literal["stop", "length"] | None = None


@dataclass(frozen=True)
class Throughput:
    """What one batch cost."""

    new_tokens: int
    seconds: float


class Decoder:
    """A loaded model that completes batches of sequences. Not thread-safe.

    `rows` is the batch size to optimise for; `pack=False` leaves PyTorch's own linear layers (for comparison).
    """

    def __init__(
        self, folder: Path, *, rows: int, threads: int | None, device: torch.device, pack: bool = True
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        dtype = torch.float32 if device.type == "cpu" else "auto"
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(device).eval()
        self._device = device
        self.context_tokens: int = self._model.config.max_position_embeddings
        eos = self._model.generation_config.eos_token_id
        listed = eos if isinstance(eos, list) else [eos]
        self._end_ids = {chat.end_of_turn_token_id(self.tokenizer), *(i for i in listed if i is not None)}
        if pack and device.type == "cpu":
            pack_linears(self._model, rows)

    @torch.inference_mode()
    def complete(self, sequences: list[Sequence]) -> Throughput:
        """Fills `new_ids`, `text` and `finish_reason` of every sequence.

        The same sequences in the same order give the same texts; in other company a text may differ, since floating
        point sums depend on the shape of the batch.
        """
        started = time.monotonic()
        batch = _Batch(self._model, self._device, sequences, self.tokenizer.pad_token_id or 0)
        while batch.rows:
            tokens = batch.step()
            for sequence, token in zip(batch.rows, tokens, strict=True):
                if sequence.finish_reason is None:
                    self._append(sequence, token)
            batch.drop_finished()
        for sequence in sequences:
            if sequence.text is None:
                sequence.text = self._decode(sequence.new_ids)
        return Throughput(sum(len(s.new_ids) for s in sequences), time.monotonic() - started)

    def _decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def _append(self, sequence: Sequence, token: int) -> None:
        sequence.new_ids.append(token)
        if token in self._end_ids:
            sequence.finish_reason = "stop"
            return
        if sequence.stop:
            text = self._decode(sequence.new_ids)
            found = [at for at in (text.find(stop) for stop in sequence.stop) if at >= 0]
            if found:
                sequence.text = text[: min(found)]
                sequence.finish_reason = "stop"
                return
        if len(sequence.new_ids) >= sequence.max_new_tokens:
            sequence.finish_reason = "length"


class _Batch:
    """The rows being decoded together, left-padded to one length, with their cache."""

    def __init__(self, model: Any, device: torch.device, sequences: list[Sequence], pad_id: int) -> None:
        self._model = model
        self._device = device
        self.rows = list(sequences)
        width = max(len(s.prompt_ids) for s in sequences)
        capacity = width + max(s.max_new_tokens for s in sequences)
        ids = [[pad_id] * (width - len(s.prompt_ids)) + s.prompt_ids for s in sequences]
        self._inputs = torch.tensor(ids, device=device)
        self._mask = torch.ones(len(sequences), capacity, dtype=torch.long, device=device)
        for row, sequence in enumerate(sequences):
            self._mask[row, : width - len(sequence.prompt_ids)] = 0
        self._positions = (self._mask[:, :width].cumsum(-1) - 1).clamp(min=0)
        self._length = width
        self._cache = chunked_cache(model.config.num_hidden_layers)
        self._temperature = torch.tensor([s.temperature for s in sequences], device=device)
        self._top_p = torch.tensor([s.top_p for s in sequences], device=device)
        self._generators = [torch.Generator().manual_seed(s.seed) for s in sequences]

    def step(self) -> list[int]:
        """Runs the model on what is new and draws one token per row."""
        logits = self._model(
            input_ids=self._inputs,
            attention_mask=self._mask[:, : self._length],
            position_ids=self._positions,
            past_key_values=self._cache,
            logits_to_keep=1,
        ).logits[:, -1]
        uniform = torch.cat([torch.rand(1, generator=g, dtype=torch.float64) for g in self._generators])
        tokens = next_tokens(logits, self._temperature, self._top_p, uniform.to(self._device))
        self._inputs = tokens[:, None]
        self._positions = self._positions[:, -1:] + 1
        self._length += 1
        return tokens.tolist()

    def drop_finished(self) -> None:
        """Compacts the batch when enough rows have finished; until then they ride along unread."""
        kept = [index for index, sequence in enumerate(self.rows) if sequence.finish_reason is None]
        finished = len(self.rows) - len(kept)
        if finished == 0 or (kept and finished < COMPACTION_SHARE * len(self.rows)):
            return
        self.rows = [self.rows[index] for index in kept]
        self._generators = [self._generators[index] for index in kept]
        if not kept:
            return
        indices = torch.tensor(kept, device=self._device)
        self._inputs, self._positions = self._inputs[indices], self._positions[indices]
        self._mask = self._mask[indices]
        self._temperature, self._top_p = self._temperature[indices], self._top_p[indices]
        self._cache.batch_select_indices(indices)
