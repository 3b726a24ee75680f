"""Noticing that a training has left the good region, before its state is saved."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

from ..errors import TrainerError
from .config import DivergenceSettings

WINDOW_STEPS = 64
LEAST_HISTORY_STEPS = 16


@dataclass(frozen=True)
class Spike:
    """A loss far above the `median` of the steps before; `spikes` counts the steps in a row."""

    median: float
    spikes: int


class DivergenceGuard:
    """Compares each loss with the median of the last 64 steps that were no spikes.

    Spikes stay out of the median: a training that has jumped to another level would soon be its own measure. Nothing
    is a spike before 16 steps, since losses fall fast at the start.
    """

    def __init__(self, settings: DivergenceSettings) -> None:
        self._settings = settings
        self._normal: deque[float] = deque(maxlen=WINDOW_STEPS)
        self._spikes = 0

    @property
    def spiking(self) -> bool:
        """True from the first spike to the next normal step: the state in between is not to be saved."""
        return self._spikes > 0

    def observe(self, loss: float) -> Spike | None:
        """Takes the loss of the next step."""
        if self._settings.spike_factor is not None and len(self._normal) >= LEAST_HISTORY_STEPS:
            usual = median(self._normal)
            if loss > self._settings.spike_factor * usual:
                self._spikes += 1
                return Spike(usual, self._spikes)
        self._normal.append(loss)
        self._spikes = 0
        return None

    def require_patience(self, step: int) -> None:
        """Raises `TRAINING_DIVERGED` when the spikes in a row are as many as the recipe waits for."""
        if self._spikes >= self._settings.patience_steps:
            factor = self._settings.spike_factor
            raise diverged(step, f"The loss was above {factor:g} times its median for {self._spikes} steps.")

    def require_calm_end(self, step: int, *, is_last: bool) -> None:
        """Raises `TRAINING_DIVERGED` for more than one spike at the very end: no later step can show it was passing."""
        if is_last and self._spikes > 1:
            raise diverged(step, f"The training ends in {self._spikes} steps of a loss far above its median.")


def require_finite(step: int, loss: float, gradient_norm: float) -> None:
    """Raises `TRAINING_DIVERGED` for a loss or gradient that is no number."""
    if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
        raise diverged(step, f"The loss is {loss} and the gradient norm {gradient_norm}.")


def diverged(step: int, problem: str) -> TrainerError:
    return TrainerError(
        "TRAINING_DIVERGED",
        f"At step {step}: {problem}",
        "Lower learningRate, raise warmupShare, or look for broken rows; then resume from a checkpoint.",
        details={"step": step},
    )
