"""A training that is killed, preempted and moved ends with the very bits of an unbroken one."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from secpi_trainer.train import run
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.control import Control, Preempted

STEPS = 45


def _train(values: dict[str, Any]) -> list[dict[str, Any]]:
    """In this process, so that only what is killed pays for the imports."""
    events: list[dict[str, Any]] = []
    run.train(parse_config(values), Control(), events.append)
    assert events[-1]["event"] == "finished"
    return events


def _curve(events: list[dict[str, Any]]) -> dict[int, tuple[float, float, float]]:
    steps = [event for event in events if event["event"] == "step"]
    return {event["step"]: (event["loss"], event["gradNorm"], event["learningRate"]) for event in steps}


def _of(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


def _weights(finished: dict[str, Any], name: str) -> bytes:
    folder = finished["mergedDir"] if finished["adapterDir"] is None else finished["adapterDir"]
    return (Path(folder) / name).read_bytes()


def _newest_checkpoint(values: dict[str, Any]) -> Path:
    return max((Path(values["outputDir"]) / "checkpoints").glob("step-*"))


def _assert_every_step_once(metrics: Path, steps: int, evaluated: list[int]) -> None:
    records = [json.loads(line) for line in (metrics / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [r["step"] for r in _of(records, "step")] == list(range(1, steps + 1))
    assert [r["step"] for r in _of(records, "evaluated")] == evaluated
    assert all(r["tokensPerSecond"] > 0 and r["memoryBytes"] > 0 for r in _of(records, "step"))
    times = [r["time"] for r in records]
    assert times == sorted(times)

    (file,) = (metrics / "tensorboard").iterdir()
    board = EventAccumulator(str(file), size_guidance={"scalars": 0})
    board.Reload()
    charted = [(s.step, s.wall_time, s.value) for s in board.Scalars("train/loss")]
    assert [step for step, _, _ in charted] == list(range(1, steps + 1))
    for (_, wall_time, value), record in zip(charted, _of(records, "step"), strict=True):
        assert abs(wall_time - record["time"]) < 1e-3
        assert abs(value - record["loss"]) < 1e-5
    assert [s.step for s in board.Scalars("eval/loss")] == evaluated
    assert [s.step for s in board.Scalars("guard/loss")] == evaluated


def test_killed_and_preempted_training_equals_the_unbroken_one(
    config_values: dict[str, Any], start_trainer: Any, tmp_path: Path, data_files: tuple[Path, Path]
) -> None:
    values = {**config_values, "evalEverySteps": 20, "guardFile": str(data_files[1])}
    unbroken = _train(values)
    expected, curve = unbroken[-1], _curve(unbroken)
    assert sorted(curve) == list(range(1, STEPS + 1))
    # Each measurement inside is followed by a checkpoint that knows it; the last step is measured once.
    assert [event["step"] for event in _of(unbroken, "evaluated")] == [0, 20, 40, STEPS]
    saved = {event["step"]: event for event in _of(unbroken, "checkpoint")}
    assert sorted(saved) == [*range(5, 45, 5), STEPS]
    for event in _of(unbroken, "evaluated")[1:]:
        assert saved[event["step"]]["evalLoss"] == event["evalLoss"] == event["guardLoss"]
    assert saved[5]["evalLoss"] is None
    assert [step for step, event in saved.items() if event["final"]] == [STEPS]
    _assert_every_step_once(Path(expected["metricsDir"]), STEPS, [0, 20, 40, STEPS])

    # Killed while it saves step 10: what is there under the final name is whole.
    broken = {**values, "outputDir": str(tmp_path / "broken")}
    killed = start_trainer(broken)
    killed.until("saving", step=10)
    killed.signal(signal.SIGKILL)
    assert killed.finish() == -signal.SIGKILL
    assert killed.events[0]["importSeconds"] > 0 < killed.events[0]["loadSeconds"]

    # In another folder; asked for a checkpoint, then preempted at a step of no special position.
    start = _newest_checkpoint(broken)
    moved = start_trainer({**broken, "outputDir": str(tmp_path / "moved"), "resumeFrom": str(start)})
    assert f"step-{moved.until('started')['resumedFromStep']:08d}" == start.name
    moved.until("step", step=12)
    moved.signal(signal.SIGUSR1)
    asked = moved.until("checkpoint")
    while asked["step"] % 5 == 0:
        asked = moved.until("checkpoint")
    assert asked["step"] >= 12
    for file in asked["files"]:
        assert (Path(asked["dir"]) / file["path"]).stat().st_size == file["bytes"]
    moved.until("step", step=asked["step"] + 2)
    moved.signal(signal.SIGTERM)
    assert moved.finish() == 75
    preempted, ended = moved.events[-2:]
    assert ended == {"event": "ended", "exitCode": 75}
    assert preempted["event"] == "checkpoint"
    assert asked["step"] < preempted["step"] < STEPS

    last = _train({**broken, "outputDir": str(tmp_path / "last"), "resumeFrom": preempted["dir"]})
    actual = last[-1]
    for part in (killed.events, moved.events, last):
        for step, figures in _curve(part).items():
            assert figures == curve[step], f"step {step}"
    assert _weights(actual, "adapter_model.safetensors") == _weights(expected, "adapter_model.safetensors")
    for name in ("lossCurve", "evalCurve", "evalLossBefore", "evalLossAfter", "guardLossAfter", "logitsMaxAbsDiff"):
        assert actual[name] == expected[name]
    assert actual["evalLossAfter"] < actual["evalLossBefore"]
    _assert_every_step_once(Path(actual["metricsDir"]), STEPS, [0, 20, 40, STEPS])

    # A checkpoint of the last step only has the measurement and the export left to do.
    ended = {**broken, "outputDir": str(tmp_path / "ended"), "resumeFrom": str(_newest_checkpoint({**values}))}
    events = _train(ended)
    assert _weights(events[-1], "adapter_model.safetensors") == _weights(expected, "adapter_model.safetensors")
    assert events[-1]["lossCurve"] == expected["lossCurve"]
    assert (_curve(events), _of(events, "checkpoint")) == ({}, [])

    # Any other one can be exported as the result.
    best = {**ended, "resumeFrom": saved[20]["dir"], "exportOnly": True}
    events = _train(best)
    assert (events[-1]["exportedStep"], len(events[-1]["lossCurve"])) == (20, 20)
    assert events[-1]["evalLossAfter"] == saved[20]["evalLoss"]
    assert (_curve(events), _of(events, "checkpoint")) == ({}, [])


def test_full_fine_tuning_killed_in_a_step_equals_the_unbroken_one(
    config_values: dict[str, Any], start_trainer: Any, tmp_path: Path
) -> None:
    values = {**config_values, "method": "full", "learningRate": 0.003}
    unbroken = _train(values)
    expected, curve = unbroken[-1], _curve(unbroken)

    broken = {**values, "outputDir": str(tmp_path / "broken")}
    killed = start_trainer(broken)
    killed.until("step", step=13)
    killed.signal(signal.SIGKILL)
    assert killed.finish() == -signal.SIGKILL

    events = _train({**broken, "resumeFrom": str(_newest_checkpoint(broken))})
    assert events[0]["resumedFromStep"] >= 10
    for part in (killed.events, events):
        for step, figures in _curve(part).items():
            assert figures == curve[step], f"step {step}"
    actual = events[-1]
    assert (actual["adapterDir"], actual["lossCurve"]) == (None, expected["lossCurve"])
    assert _weights(actual, "model.safetensors") == _weights(expected, "model.safetensors")
    assert actual["evalLossAfter"] == expected["evalLossAfter"] < actual["evalLossBefore"]


@pytest.mark.parametrize(
    "change",
    [
        {"packing": True, "maxSequenceTokens": 128, "epochs": 20},
        {"packing": True, "maxSequenceTokens": 128, "epochs": 20, "method": "full", "learningRate": 0.003},
        {"method": "qlora", "maxSteps": 8},
        {"precision": "bf16", "gradientCheckpointing": True, "maxSteps": 8},
    ],
)
def test_each_way_of_training_resumes_to_the_bit(
    config_values: dict[str, Any], tmp_path: Path, change: dict[str, Any]
) -> None:
    values = {**config_values, **change}
    unbroken = _train(values)
    resumed = str(Path(values["outputDir"]) / "checkpoints" / "step-00000005")
    events = _train({**values, "outputDir": str(tmp_path / "resumed"), "resumeFrom": resumed})
    assert _curve(events) == {step: figures for step, figures in _curve(unbroken).items() if step > 5} != {}
    for name in ("lossCurve", "evalCurve", "logitsMaxAbsDiff"):
        assert events[-1][name] == unbroken[-1][name]
    started = unbroken[0]
    assert (started["packedSequences"] is not None) == values["packing"]
    assert sum(e["tokens"] for e in _of(unbroken, "step")) <= started["trainTokens"] * values["epochs"]
    assert _of(unbroken, "step")[-1]["epoch"] <= values["epochs"]


def test_a_measurement_that_a_preemption_cuts_short_is_made_up_for(
    config_values: dict[str, Any], tmp_path: Path
) -> None:
    values = {**config_values, "maxSteps": 8, "evalEverySteps": 4}
    unbroken = _train(values)
    events: list[dict[str, Any]] = []

    def preempt_after_step_4(event: dict[str, Any]) -> None:
        events.append(event)
        if event["event"] == "step" and event["step"] == 4:
            signal.raise_signal(signal.SIGTERM)

    control = Control()
    before = signal.getsignal(signal.SIGTERM)
    control.listen()
    try:
        with pytest.raises(Preempted):
            run.train(parse_config({**values, "outputDir": str(tmp_path / "cut")}), control, preempt_after_step_4)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [event["event"] for event in events[-3:]] == ["step", "saving", "checkpoint"]
    assert (events[-1]["step"], events[-1]["evalLoss"]) == (4, None)

    resumed = _train({**values, "outputDir": str(tmp_path / "on"), "resumeFrom": events[-1]["dir"]})
    assert [event["step"] for event in _of(resumed, "evaluated")] == [4, 8]
    assert resumed[-1]["evalCurve"] == unbroken[-1]["evalCurve"]
    assert resumed[-1]["lossCurve"] == unbroken[-1]["lossCurve"]


def test_a_smaller_learning_rate_counts_from_the_resumed_step_on(config_values: dict[str, Any], tmp_path: Path) -> None:
    curve = _curve(_train(config_values))
    checkpoints = Path(config_values["outputDir"]) / "checkpoints"
    slow = {**config_values, "outputDir": str(tmp_path / "slow"), "learningRateScale": 0.25}
    scaled = _curve(_train({**slow, "resumeFrom": str(checkpoints / "step-00000010")}))
    for step in range(11, STEPS):
        assert scaled[step][2] == curve[step][2] * 0.25
    # The step before was the old one's, so the first loss is the same; then the ways part.
    assert scaled[11][0] == curve[11][0]
    assert scaled[13][0] != curve[13][0]

    # Its own checkpoints go on at that rate, to the bit; a second rollback is relative to the recipe, not to the first.
    again = {**slow, "outputDir": str(tmp_path / "again")}
    again["resumeFrom"] = str(tmp_path / "slow" / "checkpoints" / "step-00000020")
    assert _curve(_train(again)) == {step: figures for step, figures in scaled.items() if step > 20}
    slower = _curve(_train({**again, "learningRateScale": 0.125}))
    assert slower[30][2] == curve[30][2] * 0.125
