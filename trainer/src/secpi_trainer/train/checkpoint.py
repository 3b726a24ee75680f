"""The pipeline's own part of a checkpoint, and the check before one is resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import TrainerError

STATE_FILE = "secpi-state.json"
FORMAT_VERSION = 1
REQUIRED_FILES = (
    STATE_FILE,
    "adapter_config.json",
    "adapter_model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "trainer_state.json",
)


@dataclass(frozen=True)
class CheckpointState:
    """What the trainer adds to the optimiser, scheduler, RNG and adapter files.

    `rows_seen` is the data position; `eval_loss_before` is the loss at step 0, which a resumed run cannot measure.
    """

    step: int
    rows_seen: int
    curve_fingerprint: str
    eval_loss_before: float | None

    def write(self, folder: Path) -> None:
        values = {
            "formatVersion": FORMAT_VERSION,
            "step": self.step,
            "rowsSeen": self.rows_seen,
            "curveFingerprint": self.curve_fingerprint,
            "evalLossBefore": self.eval_loss_before,
        }
        (folder / STATE_FILE).write_text(json.dumps(values) + "\n", encoding="utf-8")


def read_checkpoint(folder: Path, curve_fingerprint: str) -> CheckpointState:
    """Checks that `folder` is a whole checkpoint of this very training; raises `CHECKPOINT_INVALID` otherwise."""
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        raise TrainerError(
            "CHECKPOINT_INVALID",
            f"The checkpoint {folder.name} lacks {', '.join(missing)}.",
            "Resume from an older checkpoint whose files are whole.",
            field="resumeFrom",
        )
    values = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    if values["formatVersion"] != FORMAT_VERSION or values["curveFingerprint"] != curve_fingerprint:
        raise TrainerError(
            "CHECKPOINT_INVALID",
            f"The checkpoint {folder.name} belongs to a training with another recipe, other data or another version.",
            "Start without resumeFrom, or restore the recipe it was made with.",
            field="resumeFrom",
        )
    return CheckpointState(values["step"], values["rowsSeen"], curve_fingerprint, values["evalLossBefore"])
