"""The training config: strict parsing of the camelCase JSON file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import TrainerError


@dataclass(frozen=True)
class LoraSettings:
    """Adapter shape. `target_modules` is "all-linear" or a list of module names."""

    rank: int
    alpha: float
    dropout: float
    target_modules: str | list[str]


@dataclass(frozen=True)
class TrainConfig:
    """A validated training request. `batch_rows` is the global batch: rows of one optimiser step."""

    model_dir: Path
    train_file: Path
    eval_file: Path | None
    output_dir: Path
    resume_from: Path | None
    seed: int
    method: Literal["lora"]
    lora: LoraSettings
    epochs: float
    max_steps: int | None
    batch_rows: int
    micro_batch_rows: int
    learning_rate: float
    scheduler: Literal["cosine", "linear", "constant"]
    warmup_share: float
    weight_decay: float
    max_sequence_tokens: int
    long_rows: Literal["drop", "truncate", "fail"]
    precision: Literal["fp32", "bf16", "auto"]
    gradient_checkpointing: bool
    checkpoint_every_steps: int
    threads: int | None

    def curve_fingerprint(self) -> str:
        """SHA-256 over what decides the loss curve: a checkpoint may only be resumed under the same.

        Micro-batch size, precision, threads and gradient checkpointing are left out on purpose: a training may move
        to a smaller machine, at the price of differing in the last bits.
        """
        parts = {
            "seed": self.seed,
            "lora": vars(self.lora),
            "epochs": self.epochs,
            "maxSteps": self.max_steps,
            "batchRows": self.batch_rows,
            "learningRate": self.learning_rate,
            "scheduler": self.scheduler,
            "warmupShare": self.warmup_share,
            "weightDecay": self.weight_decay,
            "maxSequenceTokens": self.max_sequence_tokens,
            "longRows": self.long_rows,
            "trainFile": hashlib.sha256(self.train_file.read_bytes()).hexdigest(),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _invalid(field: str, problem: str, remedy: str) -> TrainerError:
    return TrainerError("RECIPE_INVALID", f"{field}: {problem}", remedy, field=field)


class _Reader:
    """Takes fields out of one JSON object; whatever is left at the end is unknown."""

    def __init__(self, values: Any, prefix: str) -> None:
        if not isinstance(values, dict):
            raise _invalid(prefix.rstrip(".") or "config", "is not a JSON object", "Write an object in braces.")
        self._values = dict(values)
        self._prefix = prefix

    def take(self, name: str, expected: str, is_valid: Callable[[Any], bool]) -> Any:
        field = self._prefix + name
        if name not in self._values:
            raise _invalid(field, "is missing", f"Set it to {expected}.")
        value = self._values.pop(name)
        if not is_valid(value):
            raise _invalid(field, f"{json.dumps(value)[:80]} is not {expected}", f"Set it to {expected}.")
        return value

    def integer(self, name: str, minimum: int) -> int:
        return self.take(name, f"a whole number of at least {minimum}", lambda v: _is_integer(v) and v >= minimum)

    def integer_or_null(self, name: str, minimum: int) -> int | None:
        expected = f"null or a whole number of at least {minimum}"
        return self.take(name, expected, lambda v: v is None or (_is_integer(v) and v >= minimum))

    def number(self, name: str, minimum: float, maximum: float, *, above: bool = False) -> float:
        expected = f"a number {'above' if above else 'from'} {minimum:g} {'and at most' if above else 'to'} {maximum:g}"

        def fits(value: Any) -> bool:
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                return False
            return (minimum < value if above else minimum <= value) and value <= maximum

        return float(self.take(name, expected, fits))

    def choice(self, name: str, *options: str) -> Any:
        expected = "one of " + ", ".join(f'"{option}"' for option in options)
        return self.take(name, expected, lambda v: v in options)

    def flag(self, name: str) -> bool:
        return self.take(name, "true or false", lambda v: isinstance(v, bool))

    def path(self, name: str) -> Path:
        return Path(self.take(name, "a path", lambda v: isinstance(v, str) and v != ""))

    def path_or_null(self, name: str) -> Path | None:
        value = self.take(name, "null or a path", lambda v: v is None or (isinstance(v, str) and v != ""))
        return None if value is None else Path(value)

    def finish(self) -> None:
        for name in self._values:
            raise _invalid(self._prefix + name, "is not a known field", "Remove it, or check its spelling.")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_module_choice(value: Any) -> bool:
    if value == "all-linear":
        return True
    return isinstance(value, list) and value != [] and all(isinstance(name, str) and name for name in value)


def parse_config(values: Any) -> TrainConfig:
    """Validates a decoded config; raises `RECIPE_INVALID` naming the first bad field."""
    reader = _Reader(values, "")
    lora = _Reader(reader.take("lora", "an object", lambda v: isinstance(v, dict)), "lora.")
    expected_modules = '"all-linear" or a list of module names'
    settings = LoraSettings(
        rank=lora.integer("rank", 1),
        alpha=lora.number("alpha", 0, 1e6, above=True),
        dropout=lora.number("dropout", 0, 0.99),
        target_modules=lora.take("targetModules", expected_modules, _is_module_choice),
    )
    lora.finish()
    config = TrainConfig(
        model_dir=reader.path("modelDir"),
        train_file=reader.path("trainFile"),
        eval_file=reader.path_or_null("evalFile"),
        output_dir=reader.path("outputDir"),
        resume_from=reader.path_or_null("resumeFrom"),
        seed=reader.take("seed", "a whole number from 0 to 4294967295", lambda v: _is_integer(v) and 0 <= v < 2**32),
        method=reader.choice("method", "lora"),
        lora=settings,
        epochs=reader.number("epochs", 0, 1000, above=True),
        max_steps=reader.integer_or_null("maxSteps", 1),
        batch_rows=reader.integer("batchRows", 1),
        micro_batch_rows=reader.integer("microBatchRows", 1),
        learning_rate=reader.number("learningRate", 0, 1, above=True),
        scheduler=reader.choice("scheduler", "cosine", "linear", "constant"),
        warmup_share=reader.number("warmupShare", 0, 1),
        weight_decay=reader.number("weightDecay", 0, 1),
        max_sequence_tokens=reader.integer("maxSequenceTokens", 16),
        long_rows=reader.choice("longRows", "drop", "truncate", "fail"),
        precision=reader.choice("precision", "fp32", "bf16", "auto"),
        gradient_checkpointing=reader.flag("gradientCheckpointing"),
        checkpoint_every_steps=reader.integer("checkpointEverySteps", 1),
        threads=reader.integer_or_null("threads", 1),
    )
    reader.finish()
    if config.batch_rows % config.micro_batch_rows != 0:
        raise _invalid(
            "microBatchRows",
            f"{config.micro_batch_rows} does not divide batchRows ({config.batch_rows})",
            "Choose a divisor of batchRows, so that every step sees whole micro-batches.",
        )
    for name, file in (("trainFile", config.train_file), ("evalFile", config.eval_file)):
        if file is not None and not file.is_file():
            raise _invalid(name, "the file does not exist", "Write the rows there before starting the trainer.")
    return config


def read_config(path: Path) -> TrainConfig:
    """Reads and validates the config file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _invalid("config", f"the config file cannot be read: {error}", "Pass a readable JSON file.") from error
    return parse_config(values)
