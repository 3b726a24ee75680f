"""Figures of a training: the history that a checkpoint carries, and the files people look at."""

from __future__ import annotations

import json
import queue
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

METRICS_FILE = "metrics.jsonl"
TENSORBOARD_FOLDER = "tensorboard"
# Field of a record -> name of its chart.
CHARTS = {
    "step": {
        "loss": "train/loss",
        "learningRate": "train/learningRate",
        "gradNorm": "train/gradNorm",
        "tokensPerSecond": "train/tokensPerSecond",
        "peakShare": "train/peakShare",
        "memoryBytes": "train/memoryBytes",
    },
    "evaluated": {"evalLoss": "eval/loss", "guardLoss": "guard/loss"},
}
# How long the end of a training waits for its files: they are no reason to lose the result.
LONGEST_CLOSE_SECONDS = 300.0


@dataclass(frozen=True)
class Losses:
    """Nats per trained token; None where there are no such rows."""

    eval: float | None
    guard: float | None


class History:
    """Every step and evaluation from step 1 on (step 0: before it), also those before a resume.

    Kept as the lines of `metrics.jsonl`, so that a checkpoint writes them without encoding them again.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.losses: list[tuple[int, float]] = []
        self.evaluations: dict[int, Losses] = {}

    @classmethod
    def read(cls, folder: Path) -> History:
        """The history in a checkpoint; ValueError or KeyError when the file is not one."""
        history = cls()
        with (folder / METRICS_FILE).open(encoding="utf-8") as lines:
            for line in lines:
                history._keep(json.loads(line), line)
        return history

    def add(self, event: dict[str, Any]) -> dict[str, Any]:
        """Takes a `step` or `evaluated` event and returns the record of it: with its wall time and tokens/s."""
        record = {**event, "time": time.time()}
        if "tokens" in event:
            record["tokensPerSecond"] = event["tokens"] / event["seconds"]
        self._keep(record, json.dumps(record) + "\n")
        return record

    def _keep(self, record: dict[str, Any], line: str) -> None:
        self._lines.append(line)
        if record["event"] == "step":
            self.losses.append((record["step"], record["loss"]))
        else:
            self.evaluations[record["step"]] = Losses(record["evalLoss"], record["guardLoss"])

    def write(self, folder: Path) -> None:
        with (folder / METRICS_FILE).open("w", encoding="utf-8") as file:
            file.writelines(self._lines)

    def lines(self) -> list[str]:
        """A copy, for a thread that writes while steps are added."""
        return list(self._lines)


class MetricsFiles:
    """`metrics.jsonl` and TensorBoard's event files below `folder`, written by a thread of their own.

    A training neither waits for them nor fails with them: an error is told once on stderr and ends the writing.
    With a resumed training the whole history is written anew.
    """

    def __init__(self, folder: Path, history: History) -> None:
        self.folder = folder
        self._records: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(history.lines(),), name="metrics", daemon=True)
        self._thread.start()

    def add(self, record: dict[str, Any]) -> None:
        self._records.put(record)

    def close(self) -> None:
        """Waits until everything is written, within reason."""
        self._records.put(None)
        self._thread.join(LONGEST_CLOSE_SECONDS)
        if self._thread.is_alive():
            print(f"metrics are incomplete: not written within {LONGEST_CLOSE_SECONDS:g} s", file=sys.stderr)

    def _run(self, earlier: list[str]) -> None:
        try:
            self._write(earlier)
        except Exception as error:  # TensorBoard's writer raises what its disk and its protobuf raise.
            print(f"metrics are no longer written: {type(error).__name__}: {error}", file=sys.stderr)

    def _write(self, earlier: list[str]) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        board = SummaryWriter(str(self.folder / TENSORBOARD_FOLDER), flush_secs=30)
        with (self.folder / METRICS_FILE).open("w", encoding="utf-8") as file:
            file.writelines(earlier)
            for line in earlier:
                _chart(board, json.loads(line))
            while (record := self._records.get()) is not None:
                file.write(json.dumps(record) + "\n")
                file.flush()
                _chart(board, record)
        board.close()


def _chart(board: SummaryWriter, record: dict[str, Any]) -> None:
    for field, chart in CHARTS[record["event"]].items():
        if record[field] is not None:
            board.add_scalar(chart, record[field], record["step"], walltime=record["time"])
