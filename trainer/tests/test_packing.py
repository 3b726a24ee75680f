"""Packing changes no loss, lets no row see another, and has one fixed order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import training_rows, write_rows

from secpi_trainer.errors import TrainerError
from secpi_trainer.train import packing, run
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.control import Control
from secpi_trainer.train.dataset import (
    UNTRAINED,
    Example,
    ScheduledRows,
    collate,
    read_rows,
    tokenise_rows,
)

MAX_TOKENS = 400


def _examples(lengths: list[int]) -> list[Example]:
    return [Example(str(i), list(range(3, 3 + n)), [UNTRAINED, *range(4, 3 + n)]) for i, n in enumerate(lengths)]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model, attn_implementation="sdpa").eval()


@pytest.fixture(scope="module")
def rows(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    from transformers import AutoTokenizer

    file = write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", training_rows(12))
    return tokenise_rows(AutoTokenizer.from_pretrained(tiny_model), read_rows(file), MAX_TOKENS, "fail").examples


def _loss_and_gradient(model: Any, batch: dict[str, Any]) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    loss = model(**batch, use_cache=False).loss
    loss.backward()
    return loss.item(), torch.cat([parameter.grad.flatten().clone() for parameter in model.parameters()])


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_packed_batch_has_the_loss_and_gradient_of_its_rows(model: Any, rows: list[Example], attention: str) -> None:
    model.set_attn_implementation(attention)
    packed = packing.pack_schedule(rows, seed=5, row_count=len(rows), max_tokens=MAX_TOKENS)
    assert len(packed) < len(rows)
    batch = packing.collate_packed([packed[position] for position in range(len(packed))], attention)
    assert batch["input_ids"].numel() == sum(len(row.input_ids) for row in rows)
    loss, gradient = _loss_and_gradient(model, batch)
    expected_loss, expected_gradient = _loss_and_gradient(model, collate(rows, pad_token_id=0))
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert (gradient - expected_gradient).abs().max() < 1e-6 * expected_gradient.abs().max() + 1e-7


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_no_token_attends_across_rows(model: Any, attention: str) -> None:
    model.set_attn_implementation(attention)
    one, two, three = _examples([20, 31, 9])

    def logits(*sequence: Example) -> torch.Tensor:
        batch = packing.collate_packed([list(sequence)], attention)
        batch.pop("labels")
        with torch.no_grad():
            return model(**batch, use_cache=False).logits[0]

    changed = Example("changed", [(token * 7) % 300 for token in one.input_ids], one.labels)
    packed, other = logits(one, two, three), logits(changed, two, three)
    assert torch.equal(packed[20:], other[20:])
    assert not torch.equal(packed[:20], other[:20])
    for row, own in ((one, packed[:20]), (two, packed[20:51]), (three, packed[51:])):
        assert (logits(row) - own).abs().max() < 1e-5


def test_a_training_step_on_packed_rows_has_the_loss_of_the_same_rows_unpacked(
    config_values: dict[str, Any], rows: list[Example], tmp_path: Path
) -> None:
    """Through the trainer, which decides about masks, caches and the weight of each row too."""
    file = write_rows(tmp_path / "train.jsonl", training_rows(len(rows)))
    lora = {**config_values["lora"], "dropout": 0}
    common = {**config_values, "trainFile": str(file), "lora": lora, "epochs": 1, "maxSequenceTokens": MAX_TOKENS}
    common |= {"scheduler": "constant", "warmupShare": 0}
    sequences = len(packing.pack_schedule(rows, config_values["seed"], len(rows), MAX_TOKENS))
    steps = []
    for packed, batch_rows in ((False, len(rows)), (True, sequences)):
        changes = {"packing": packed, "batchRows": batch_rows, "microBatchRows": 1, "outputDir": str(tmp_path / "out")}
        events: list[dict[str, Any]] = []
        run.train(parse_config({**common, **changes}), Control(), events.append)
        steps.append([event for event in events if event["event"] == "step"])
    (unpacked,), (packed_step,) = steps
    assert packed_step["loss"] == pytest.approx(unpacked["loss"], rel=1e-6)
    assert packed_step["gradNorm"] == pytest.approx(unpacked["gradNorm"], rel=1e-5)
    assert packed_step["tokens"] == unpacked["tokens"]


def test_the_order_is_fixed_and_nearly_the_scheduled_one() -> None:
    lengths = [10 + (index * 37) % 90 for index in range(400)]
    examples = _examples(lengths)
    packed = packing.pack_schedule(examples, seed=3, row_count=1000, max_tokens=200)
    sequences = [packed[position] for position in range(len(packed))]
    assert all(sum(len(row.input_ids) for row in sequence) <= 200 for sequence in sequences)
    order = [row.row_id for sequence in sequences for row in sequence]
    assert packed.row_count == len(order) == 1000
    counts = Counter(order)
    assert set(counts.values()) == {2, 3}
    assert sum(count == 3 for count in counts.values()) == 200
    assert packed.fill_share == pytest.approx(sum(lengths[int(row)] for row in order) / (len(packed) * 200))
    assert packed.fill_share > 0.95
    again = packing.pack_schedule(examples, seed=3, row_count=1000, max_tokens=200)
    assert [again[position] for position in range(len(again))] == sequences
    # The scheduled place of a row and its place after packing differ by no more than the open sequences hold.
    schedule = ScheduledRows(examples, 3, 400)
    scheduled = {schedule[position].row_id: position for position in range(400)}
    first_seen = {row: place for place, row in reversed(list(enumerate(order)))}
    assert max(abs(first_seen[row] - scheduled[row]) for row in scheduled) < packing.OPEN_SEQUENCES * 8


def test_rows_as_long_as_a_sequence_stay_alone() -> None:
    packed = packing.pack_schedule(_examples([50, 50, 50]), seed=0, row_count=3, max_tokens=50)
    assert [len(packed[position]) for position in range(len(packed))] == [1, 1, 1]
    assert packed.fill_share == 1
    with pytest.raises(ValueError, match="51 tokens"):
        packing.pack_schedule(_examples([51]), seed=0, row_count=1, max_tokens=50)


def test_flash_attention_is_told_where_rows_begin() -> None:
    batch = packing.collate_packed([_examples([3, 2]), _examples([4])], "flash_attention_2")
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0, 1, 2, 3]]
    assert batch["cu_seq_lens_q"].tolist() == batch["cu_seq_lens_k"].tolist() == [0, 3, 5, 9]
    assert batch["cu_seq_lens_q"].dtype == torch.int32
    assert (batch["max_length_q"], batch["max_length_k"]) == (4, 4)
    begins = [0, 3, 5]
    assert all(batch["labels"][0, index] == UNTRAINED for index in begins)


def test_a_model_that_carries_a_state_between_rows_is_refused(model: Any) -> None:
    packing.require_isolation(model)

    def leak(_module: Any, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        return output + output.cumsum(dim=1)

    handle = model.model.layers[0].mlp.register_forward_hook(leak)
    try:
        with pytest.raises(TrainerError, match="packing:") as raised:
            packing.require_isolation(model)
    finally:
        handle.remove()
    assert (raised.value.code, raised.value.field) == ("RECIPE_INVALID", "packing")
