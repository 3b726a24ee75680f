"""Each way a training can fail is told by a code, with figures where they help."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from secpi_trainer.durable import whole_folder
from secpi_trainer.errors import TrainerError, is_out_of_memory
from secpi_trainer.train import memory, run
from secpi_trainer.train.checkpoint import STATE_FILES, read_checkpoint
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.control import Control


def _train(values: dict[str, Any]) -> tuple[TrainerError, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    with pytest.raises(TrainerError) as raised:
        run.train(parse_config(values), Control(), events.append)
    return raised.value, events


def test_missing_model_is_named(config_values: dict[str, Any], tmp_path: Path) -> None:
    error, events = _train({**config_values, "modelDir": str(tmp_path)})
    assert (error.code, error.field, error.exit_code, events) == ("MODEL_NOT_FOUND", "modelDir", 70, [])


def test_a_loss_that_is_not_a_number_stops_before_saving(
    config_values: dict[str, Any], tiny_model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken-model"
    shutil.copytree(tiny_model, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    error, events = _train({**config_values, "modelDir": str(broken), "evalFile": None, "checkpointEverySteps": 1})
    assert (error.code, error.details["step"]) == ("TRAINING_DIVERGED", 1)
    assert [event["event"] for event in events] == ["started", "step"]


def test_too_little_memory_is_refused_with_figures(
    config_values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda _device: 2**20)
    error, events = _train(config_values)
    assert error.code == "RESOURCES_INSUFFICIENT"
    assert error.event()["availableBytes"] == 2**20 < error.event()["estimateBytes"]
    assert events == []


def test_the_allocators_real_error_is_recognised() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**55, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


def test_no_row_that_fits_is_a_dataset_error(config_values: dict[str, Any]) -> None:
    error, _ = _train({**config_values, "maxSequenceTokens": 16})
    assert error.code == "DATASET_INVALID"
    assert "18 dropped" in error.message


def test_unknown_target_module_is_a_recipe_error(config_values: dict[str, Any]) -> None:
    error, _ = _train({**config_values, "lora": {**config_values["lora"], "targetModules": ["nowhere"]}})
    assert (error.code, error.field) == ("RECIPE_INVALID", "lora.targetModules")


def test_torn_or_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    for name in (*STATE_FILES, "adapter_model.safetensors"):
        (tmp_path / name).write_text("{}" if name == "trainer_state.json" else "", encoding="utf-8")
    state = {"formatVersion": 2, "step": 5, "rowsSeen": 20, "curveFingerprint": "ours", "learningRateScale": 1}
    (tmp_path / "secpi-state.json").write_text(json.dumps(state), encoding="utf-8")
    assert read_checkpoint(tmp_path, "lora", "ours").state.step == 5
    with pytest.raises(TrainerError, match="another recipe"):
        read_checkpoint(tmp_path, "lora", "theirs")
    with pytest.raises(TrainerError, match=r"lacks model\.safetensors"):
        read_checkpoint(tmp_path, "full", "ours")
    (tmp_path / "metrics.jsonl").write_text('{"event": "step"', encoding="utf-8")
    with pytest.raises(TrainerError, match="cannot be read"):
        read_checkpoint(tmp_path, "lora", "ours")
    (tmp_path / "optimizer.pt").unlink()
    with pytest.raises(TrainerError, match=r"lacks optimizer\.pt") as raised:
        read_checkpoint(tmp_path, "lora", "ours")
    assert raised.value.code == "CHECKPOINT_INVALID"


def test_a_torn_file_of_a_checkpoint_is_told_as_that(config_values: dict[str, Any]) -> None:
    values = {**config_values, "maxSteps": 2, "checkpointEverySteps": 1}
    run.train(parse_config(values), Control(), [].append)
    folder = Path(config_values["outputDir"]) / "checkpoints" / "step-00000001"
    for name in ("adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:100])
        error, _ = _train({**values, "resumeFrom": str(folder)})
        assert (error.code, error.field) == ("CHECKPOINT_INVALID", "resumeFrom"), name
        (folder / name).write_bytes(whole)


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "adapter"
    with whole_folder(target) as folder:
        (folder / "a").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="disk"), whole_folder(target) as folder:
        (folder / "a").write_text("new", encoding="utf-8")
        raise OSError("disk full")
    assert (target / "a").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_an_unforeseen_failure_still_ends_with_an_event(config_values: dict[str, Any], start_trainer: Any) -> None:
    output = Path(config_values["outputDir"])
    output.write_text("a file where the folder should be", encoding="utf-8")
    trainer = start_trainer(config_values)
    assert trainer.until("error")["code"] == "TRAINER_FAILED"
    assert trainer.finish() == 70
    assert trainer.events[-1] == {"event": "ended", "exitCode": 70}
