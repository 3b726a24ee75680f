"""A training that is killed, preempted and moved ends with the very bits of an unbroken one."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from secpi_trainer.train import run
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.control import Control

STEPS = 45


def _curve(events: list[dict[str, Any]]) -> dict[int, tuple[float, float, float]]:
    steps = [event for event in events if event["event"] == "step"]
    return {event["step"]: (event["loss"], event["gradNorm"], event["learningRate"]) for event in steps}


def _adapter(finished: dict[str, Any]) -> bytes:
    return (Path(finished["adapterDir"]) / "adapter_model.safetensors").read_bytes()


def test_killed_and_preempted_training_equals_the_unbroken_one(
    config_values: dict[str, Any], start_trainer: Any, tmp_path: Path
) -> None:
    unbroken = start_trainer(config_values)
    expected = unbroken.until("finished")
    assert unbroken.finish() == 0
    curve = _curve(unbroken.events)
    assert sorted(curve) == list(range(1, STEPS + 1))

    broken = {**config_values, "outputDir": str(tmp_path / "broken")}
    killed = start_trainer(broken)
    saved = killed.until("checkpoint", step=10)
    killed.signal(signal.SIGKILL)
    assert killed.finish() == -signal.SIGKILL
    assert {file["path"] for file in saved["files"]} >= {"adapter_model.safetensors", "optimizer.pt", "rng_state.pth"}

    # From the checkpoint before the newest, in another folder; preempted again at a step of no special position.
    earlier = str(Path(saved["dir"]).with_name("step-00000005"))
    moved = start_trainer({**broken, "outputDir": str(tmp_path / "moved"), "resumeFrom": earlier})
    assert moved.until("started")["resumedFromStep"] == 5
    moved.until("step", step=13)
    moved.signal(signal.SIGTERM)
    assert moved.finish() == 75
    preempted = moved.events[-1]
    assert preempted["event"] == "checkpoint"
    assert 13 <= preempted["step"] < STEPS

    last = start_trainer({**broken, "outputDir": str(tmp_path / "last"), "resumeFrom": preempted["dir"]})
    actual = last.until("finished")
    assert last.finish() == 0

    for part in (killed, moved, last):
        for step, values in _curve(part.events).items():
            assert values == curve[step], f"step {step}"
    assert actual["lossCurve"] == expected["lossCurve"]
    assert _adapter(actual) == _adapter(expected)
    for name in ("evalLossBefore", "evalLossAfter", "logitsMaxAbsDiff"):
        assert actual[name] == expected[name]
    assert actual["evalLossAfter"] < actual["evalLossBefore"]
    assert [event["step"] for event in unbroken.events if event["event"] == "evaluated"] == [0, STEPS]

    # A checkpoint of the last step only has the export left to do.
    ended = {**broken, "outputDir": str(tmp_path / "ended")}
    ended["resumeFrom"] = str(tmp_path / "last" / "checkpoints" / f"step-{STEPS:08d}")
    events: list[dict[str, Any]] = []
    run.train(parse_config(ended), Control(), events.append)
    assert _adapter(events[-1]) == _adapter(expected)
    assert events[-1]["lossCurve"] == expected["lossCurve"]
    assert _curve(events) == {}


def test_checkpoint_command_saves_and_closed_stdin_ends_the_process(
    config_values: dict[str, Any], start_trainer: Any
) -> None:
    trainer = start_trainer({**config_values, "epochs": 500, "checkpointEverySteps": 100_000})
    trainer.until("step", step=3)
    trainer.send({"command": "checkpoint"})
    saved = trainer.until("checkpoint")
    assert saved["step"] >= 3
    for file in saved["files"]:
        assert (Path(saved["dir"]) / file["path"]).stat().st_size == file["bytes"]
    trainer.close_stdin()
    assert trainer.finish(timeout=5) == 70
    assert not any(event["event"] == "finished" for event in trainer.events)
