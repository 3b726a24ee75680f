"""The pipeline's own part of a checkpoint, and the check before one is resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import TrainerError, is_out_of_memory
from .metrics import METRICS_FILE, History
from .models import WEIGHT_FILES

STATE_FILE = "secpi-state.json"
FORMAT_VERSION = 2
STATE_FILES = (STATE_FILE, METRICS_FILE, "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


@dataclass(frozen=True)
class CheckpointState:
    """What the trainer adds to the optimiser, scheduler, RNG and weight files.

    `rows_seen` is the data position; `learning_rate_scale` the one that its optimiser and scheduler are set to.
    """

    step: int
    rows_seen: int
    curve_fingerprint: str
    learning_rate_scale: float

    def write(self, folder: Path) -> None:
        values = {
            "formatVersion": FORMAT_VERSION,
            "step": self.step,
            "rowsSeen": self.rows_seen,
            "curveFingerprint": self.curve_fingerprint,
            "learningRateScale": self.learning_rate_scale,
        }
        (folder / STATE_FILE).write_text(json.dumps(values) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that is whole and of this very training."""

    folder: Path
    state: CheckpointState
    history: History


def missing_files(folder: Path, method: str) -> list[str]:
    """What a checkpoint of `method` needs and `folder` lacks."""
    missing = [name for name in STATE_FILES if not (folder / name).is_file()]
    weights = WEIGHT_FILES[method]
    if not any((folder / name).is_file() for name in weights):
        missing.append(weights[0])
    return missing


def _invalid(problem: str, remedy: str) -> TrainerError:
    return TrainerError("CHECKPOINT_INVALID", problem, remedy, field="resumeFrom")


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Whatever a torn or foreign file makes a reader raise becomes `CHECKPOINT_INVALID`."""
    try:
        yield
    except TrainerError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise _invalid(
            f"The checkpoint {folder.name} cannot be read: {type(error).__name__}: {error}"[:1000],
            "Resume from an older checkpoint whose files are whole.",
        ) from error


def read_checkpoint(folder: Path, method: str, curve_fingerprint: str) -> Checkpoint:
    """Checks that `folder` is a whole checkpoint of this very training; raises `CHECKPOINT_INVALID` otherwise."""
    missing = missing_files(folder, method)
    if missing:
        raise _invalid(
            f"The checkpoint {folder.name} lacks {', '.join(missing)}.",
            "Resume from an older checkpoint whose files are whole.",
        )
    with reading(folder):
        # Read later by transformers, whose errors name no checkpoint.
        json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        values = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        if values["formatVersion"] != FORMAT_VERSION or values["curveFingerprint"] != curve_fingerprint:
            raise _invalid(
                f"The checkpoint {folder.name} belongs to a training with another recipe, other data or another "
                "version.",
                "Start without resumeFrom, or restore the recipe it was made with.",
            )
        state = CheckpointState(values["step"], values["rowsSeen"], curve_fingerprint, values["learningRateScale"])
        return Checkpoint(folder, state, History.read(folder))
