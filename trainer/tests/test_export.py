"""The exported folders can be used by others, in either precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secpi_trainer.train import run
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.control import Control, Preempted


@pytest.mark.parametrize(("precision", "recompute"), [("fp32", True), ("bf16", False)])
def test_export_changes_the_model_and_names_no_path(
    config_values: dict[str, Any], tiny_model: Path, precision: str, recompute: bool
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    events: list[dict[str, Any]] = []
    values = {**config_values, "maxSteps": 6, "precision": precision, "gradientCheckpointing": recompute}
    run.train(parse_config({**values, "scheduler": "constant", "warmupShare": 0}), Control(), events.append)
    finished = events[-1]
    assert finished["logitsMaxAbsDiff"] > 0.01
    assert finished["evalLossAfter"] < finished["evalLossBefore"]
    assert [event["learningRate"] for event in events if event["event"] == "step"] == [0.01] * 6

    adapter, merged = Path(finished["adapterDir"]), Path(finished["mergedDir"])
    assert {path.name for path in adapter.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == tiny_model.name
    assert str(tiny_model.parent) not in (merged / "config.json").read_text()
    original = AutoTokenizer.from_pretrained(tiny_model)
    assert AutoTokenizer.from_pretrained(merged).chat_template == original.chat_template
    assert AutoModelForCausalLM.from_pretrained(merged).num_parameters() > 0


def test_preemption_before_the_first_step_saves_nothing(config_values: dict[str, Any]) -> None:
    control = Control()
    control._stop.set()
    events: list[dict[str, Any]] = []
    with pytest.raises(Preempted):
        run.train(parse_config(config_values), control, events.append)
    assert events == []
    assert not Path(config_values["outputDir"]).exists()
