"""The config is refused with the field, the problem and a remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secpi_trainer.errors import TrainerError
from secpi_trainer.train.config import parse_config, read_config

BAD_FIELDS = [
    ("epochs", 0),
    ("epochs", "3"),
    ("maxSteps", 0),
    ("maxSteps", 1.5),
    ("batchRows", True),
    ("learningRate", 0),
    ("learningRate", float("nan")),
    ("scheduler", "step"),
    ("warmupShare", 1.01),
    ("seed", -1),
    ("seed", 2**32),
    ("method", "dora"),
    ("attention", "xformers"),
    ("packing", 1),
    ("exportOnly", True),
    ("evalEverySteps", 0),
    ("learningRateScale", 0),
    ("learningRateScale", 1.5),
    ("leaseSeconds", 0),
    ("guardFile", "absent.jsonl"),
    ("precision", "fp16"),
    ("gradientCheckpointing", "yes"),
    ("microBatchRows", 3),
    ("modelDir", ""),
    ("trainFile", "absent.jsonl"),
    ("lora", None),
]


def test_valid_config_is_taken_as_written(config_values: dict[str, Any]) -> None:
    config = parse_config(config_values)
    assert (config.batch_rows, config.lora.rank, config.resume_from) == (4, 4, None)


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_bad_value_names_its_field(config_values: dict[str, Any], field: str, value: object) -> None:
    with pytest.raises(TrainerError) as raised:
        parse_config({**config_values, field: value})
    event = raised.value.event()
    assert (event["code"], event["field"]) == ("RECIPE_INVALID", field)
    assert event["remedy"]
    assert raised.value.exit_code == 64


@pytest.mark.parametrize(
    ("group", "nested"),
    [
        ("lora", {"rank": 0}),
        ("lora", {"targetModules": []}),
        ("lora", {"dropout": 1}),
        ("lora", {"bias": "all"}),
        ("quantization", {"type": "int8"}),
        ("quantization", {"double": None}),
        ("divergence", {"spikeFactor": 1}),
        ("divergence", {"patienceSteps": 0}),
    ],
)
def test_bad_nested_field_is_named_with_its_path(
    config_values: dict[str, Any], group: str, nested: dict[str, Any]
) -> None:
    with pytest.raises(TrainerError) as raised:
        parse_config({**config_values, group: {**config_values[group], **nested}})
    assert raised.value.field == f"{group}.{next(iter(nested))}"


def test_unknown_and_missing_fields_are_refused(config_values: dict[str, Any]) -> None:
    with pytest.raises(TrainerError, match="batchSize: is not a known field"):
        parse_config({**config_values, "batchSize": 4})
    del config_values["seed"]
    with pytest.raises(TrainerError, match="seed: is missing"):
        parse_config(config_values)


def test_unreadable_config_is_a_recipe_error(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(TrainerError) as raised:
        read_config(path)
    assert raised.value.code == "RECIPE_INVALID"


def test_fingerprint_follows_the_curve_but_not_the_machine(config_values: dict[str, Any]) -> None:
    original = parse_config(config_values).curve_fingerprint()
    for field, value in (
        ("threads", 2),
        ("microBatchRows", 4),
        ("outputDir", "elsewhere"),
        ("checkpointEverySteps", 9),
        ("evalEverySteps", 9),
        ("attention", "eager"),
        ("learningRateScale", 0.5),
        ("divergence", {"spikeFactor": None, "patienceSteps": 1}),
        ("guardFile", config_values["evalFile"]),
        # Of another method.
        ("quantization", {"type": "fp4", "double": False}),
    ):
        assert parse_config({**config_values, field: value}).curve_fingerprint() == original
    for field, value in (
        ("seed", 12),
        ("method", "qlora"),
        ("packing", True),
        ("learningRate", 0.02),
        ("trainFile", config_values["evalFile"]),
    ):
        assert parse_config({**config_values, field: value}).curve_fingerprint() != original


def test_bad_config_ends_the_process_with_64(config_values: dict[str, Any], start_trainer: Any) -> None:
    trainer = start_trainer(json.loads(json.dumps({**config_values, "batchRows": 0})))
    event = trainer.until("error")
    assert (event["code"], event["field"]) == ("RECIPE_INVALID", "batchRows")
    assert trainer.finish() == 64
