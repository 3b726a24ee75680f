"""Exactly the completion and the end-of-turn token are trained."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import training_rows, write_rows

from secpi_trainer import chat
from secpi_trainer.errors import TrainerError
from secpi_trainer.train.dataset import (
    UNTRAINED,
    Example,
    Row,
    ScheduledRows,
    collate,
    read_rows,
    tokenise_row,
    tokenise_rows,
)

ROW = Row(
    "one",
    [{"role": "user", "content": "Sum two numbers."}],
    answer="```python\na+b\n```",
    reasoning="No input leaves the function.",
)
COMPLETION = "<think>\nNo input leaves the function.\n</think>\n\n```python\na+b\n```"
PROMPT = (
    "<|im_start|>system\nYou are a small test model.<|im_end|>\n"
    "<|im_start|>user\nSum two numbers.<|im_end|>\n<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def test_mask_trains_the_completion_and_the_end_of_turn_only(tokenizer: Any) -> None:
    example = tokenise_row(tokenizer, ROW, chat.end_of_turn_token_id(tokenizer))
    pairs = list(zip(example.input_ids, example.labels, strict=True))
    boundary = next(index for index, (_, label) in enumerate(pairs) if label != UNTRAINED)
    for index, (token, label) in enumerate(pairs):
        assert label == (UNTRAINED if index < boundary else token), f"token {index}: {tokenizer.decode([token])!r}"
    assert tokenizer.decode(example.input_ids[:boundary]) == PROMPT
    assert tokenizer.decode(example.labels[boundary:-1]) == COMPLETION
    assert tokenizer.decode(example.labels[-1:]) == "<|im_end|>"
    assert example.input_ids[:boundary] == chat.prompt_token_ids(tokenizer, ROW.prompt)


def test_padding_is_neither_seen_nor_trained() -> None:
    batch = collate([Example("a", [5, 6, 7], [UNTRAINED, 6, 7]), Example("b", [8], [8])], pad_token_id=0)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[UNTRAINED, 6, 7], [8, UNTRAINED, UNTRAINED]]


def test_a_think_tag_opened_by_the_template_is_not_written_twice() -> None:
    assert chat.completion_text("...assistant\n<think>\n", "r", "a") == "r\n</think>\n\na"
    assert chat.completion_text("...assistant\n<think>", "r", "a") == "\nr\n</think>\n\na"
    assert chat.completion_text("...assistant\n", "r", "a") == "<think>\nr\n</think>\n\na"


def test_long_rows_are_dropped_truncated_or_refused(tokenizer: Any) -> None:
    long_row = Row("long", ROW.prompt, "x", "careful " * 50)
    long_prompt = Row("prompt", [{"role": "user", "content": "y " * 300}], "a", "r")
    rows = [ROW, long_row, long_prompt]
    length = len(tokenise_row(tokenizer, ROW, 2).input_ids)

    dropped = tokenise_rows(tokenizer, rows, length, "drop")
    assert ([e.row_id for e in dropped.examples], dropped.dropped_rows) == (["one"], 2)
    truncated = tokenise_rows(tokenizer, rows, length, "truncate")
    assert (truncated.truncated_rows, truncated.dropped_rows) == (1, 1)
    assert len(truncated.examples[1].input_ids) == length
    assert truncated.examples[1].labels[-1] != chat.end_of_turn_token_id(tokenizer)
    with pytest.raises(TrainerError, match="row long has"):
        tokenise_rows(tokenizer, rows, length, "fail")


def test_every_epoch_is_its_own_permutation() -> None:
    examples = [Example(str(index), [index], [index]) for index in range(10)]
    rows = ScheduledRows(examples, seed=3, row_count=25)
    order = [rows[position].row_id for position in range(len(rows))]
    assert Counter(order[:10]) == Counter(order[10:20]) == Counter(str(index) for index in range(10))
    assert order[:10] != order[10:20]
    again = ScheduledRows(examples, seed=3, row_count=25)
    assert [again[position].row_id for position in range(25)] == order


def test_a_row_may_do_without_reasoning(tmp_path: Path, tokenizer: Any) -> None:
    values = training_rows(1)[0]
    del values["reasoning"]
    (row,) = read_rows(write_rows(tmp_path / "rows.jsonl", [values]))
    example = tokenise_row(tokenizer, row, chat.end_of_turn_token_id(tokenizer))
    trained = [label for label in example.labels if label != UNTRAINED]
    assert tokenizer.decode(trained) == f"{values['answer']}<|im_end|>"


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"answer": None},
        {"reasoning": None},
        {"prompt": []},
        {"prompt": [{"role": "tool", "content": "x"}]},
    ],
)
def test_bad_row_is_named_by_its_line(tmp_path: Path, change: dict[str, Any]) -> None:
    rows = training_rows(2)
    rows[1].update(change)
    with pytest.raises(TrainerError, match="line 2") as raised:
        read_rows(write_rows(tmp_path / "rows.jsonl", rows))
    assert raised.value.code == "DATASET_INVALID"
