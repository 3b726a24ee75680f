"""A training that leaves the good region is noticed before its state is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import training_rows, write_rows

from secpi_trainer.errors import TrainerError
from secpi_trainer.train import run
from secpi_trainer.train.config import DivergenceSettings, parse_config
from secpi_trainer.train.control import Control
from secpi_trainer.train.divergence import LEAST_HISTORY_STEPS, WINDOW_STEPS, DivergenceGuard, Spike, require_finite


def test_nothing_is_a_spike_before_there_is_a_history() -> None:
    guard = DivergenceGuard(DivergenceSettings(2.0, 3))
    for step in range(LEAST_HISTORY_STEPS):
        assert guard.observe(1.0 if step % 2 else 100.0) is None


def test_spikes_are_counted_in_a_row_against_the_median_of_normal_steps() -> None:
    guard = DivergenceGuard(DivergenceSettings(2.0, 2))
    for _ in range(WINDOW_STEPS):
        guard.observe(1.0)
    assert guard.observe(2.0) is None
    assert guard.observe(2.1) == Spike(1.0, 1)
    assert guard.spiking
    guard.require_patience(1)
    assert guard.observe(1.5) is None
    assert not guard.spiking
    # A training that stays at another level never becomes its own measure.
    guard = DivergenceGuard(DivergenceSettings(2.0, 1000))
    for _ in range(WINDOW_STEPS):
        guard.observe(1.0)
    assert [guard.observe(5.0) for _ in range(100)] == [Spike(1.0, count) for count in range(1, 101)]


def test_patience_ends_with_the_step_and_the_figures() -> None:
    guard = DivergenceGuard(DivergenceSettings(2.0, 1))
    for _ in range(LEAST_HISTORY_STEPS):
        guard.observe(1.0)
    guard.observe(9.0)
    with pytest.raises(TrainerError, match="2 times its median") as raised:
        guard.require_patience(17)
    assert raised.value.event()["step"] == 17


def test_an_end_in_several_spikes_is_a_divergence_and_in_one_is_not() -> None:
    guard = DivergenceGuard(DivergenceSettings(2.0, 100))
    for _ in range(WINDOW_STEPS):
        guard.observe(1.0)
    guard.observe(9.0)
    guard.require_calm_end(65, is_last=True)
    guard.observe(9.0)
    guard.require_calm_end(66, is_last=False)
    with pytest.raises(TrainerError, match="ends in 2 steps"):
        guard.require_calm_end(66, is_last=True)


def test_null_looks_for_nan_alone() -> None:
    guard = DivergenceGuard(DivergenceSettings(None, 1))
    for _ in range(WINDOW_STEPS):
        guard.observe(1.0)
    assert guard.observe(1e9) is None
    for loss, norm in ((float("nan"), 1.0), (1.0, float("inf"))):
        with pytest.raises(TrainerError) as raised:
            require_finite(3, loss, norm)
        assert raised.value.code == "TRAINING_DIVERGED"


def _poisoned(config_values: dict[str, Any], tmp_path: Path, patience: int) -> dict[str, Any]:
    """One row of 19 is noise: its loss stands out when the others are learnt."""
    rows = training_rows(18)
    rows.append({**rows[0], "id": "poison", "reasoning": "", "answer": "%$ ~|^ @# qz XK 77 `` \\\\ ;; }{ " * 4})
    return {
        **config_values,
        "trainFile": str(write_rows(tmp_path / "poisoned.jsonl", rows)),
        "evalFile": None,
        "method": "full",
        "learningRate": 0.003,
        "scheduler": "constant",
        "batchRows": 1,
        "microBatchRows": 1,
        "epochs": 6,
        "checkpointEverySteps": 1,
        "divergence": {"spikeFactor": 4, "patienceSteps": patience},
    }


def test_the_state_after_a_spike_is_not_saved(config_values: dict[str, Any], tmp_path: Path) -> None:
    values = _poisoned(config_values, tmp_path, patience=5)
    events: list[dict[str, Any]] = []
    run.train(parse_config(values), Control(), events.append)
    spikes = [event for event in events if event["event"] == "diverging"]
    assert spikes
    assert all(event["loss"] > 4 * event["median"] for event in spikes)
    spiking = {event["step"] for event in spikes}
    saved = {event["step"] for event in events if event["event"] == "checkpoint"}
    assert saved == set(range(1, 115)) - spiking

    # Resumed, the guard knows the losses before: it sees the next spike as the unbroken training did.
    last = spikes[-1]
    start = max(step for step in saved if step < last["step"])
    values["resumeFrom"] = str(Path(values["outputDir"]) / "checkpoints" / f"step-{start:08d}")
    resumed: list[dict[str, Any]] = []
    run.train(parse_config({**values, "outputDir": str(tmp_path / "resumed")}), Control(), resumed.append)
    assert next(event for event in resumed if event["event"] == "diverging") == last


def test_spikes_in_a_row_end_the_training(config_values: dict[str, Any], tmp_path: Path) -> None:
    # The learning rate climbs to an absurd 1.0.
    values = {**config_values, "method": "full", "learningRate": 1.0, "warmupShare": 1, "epochs": 60}
    values |= {"evalFile": None, "checkpointEverySteps": 1, "divergence": {"spikeFactor": 1.5, "patienceSteps": 3}}
    events: list[dict[str, Any]] = []
    with pytest.raises(TrainerError) as raised:
        run.train(parse_config(values), Control(), events.append)
    assert raised.value.code == "TRAINING_DIVERGED"
    spikes = [event for event in events if event["event"] == "diverging"]
    assert [event["spikes"] for event in spikes[-3:]] == [1, 2, 3]
    step = raised.value.details["step"]
    assert step == spikes[-1]["step"]
    newest = max(event["step"] for event in events if event["event"] == "checkpoint")
    assert newest == step - 3
