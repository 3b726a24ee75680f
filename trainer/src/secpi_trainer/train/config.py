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
class QuantizationSettings:
    """Of the frozen base with method "qlora"; `double` quantises the scales too."""

    type: Literal["nf4", "fp4"]
    double: bool


@dataclass(frozen=True)
class DivergenceSettings:
    """A loss above `spike_factor` times the running median is a spike; None looks for NaN alone."""

    spike_factor: float | None
    patience_steps: int


@dataclass(frozen=True)
class TrainConfig:
    """A validated training request. `batch_rows` is the global batch: rows (packed: sequences) of one step."""

    model_dir: Path
    train_file: Path
    eval_file: Path | None
    guard_file: Path | None
    output_dir: Path
    resume_from: Path | None
    export_only: bool
    seed: int
    method: Literal["lora", "qlora", "full"]
    lora: LoraSettings
    quantization: QuantizationSettings
    attention: Literal["auto", "eager", "sdpa", "flash"]
    packing: bool
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
    eval_every_steps: int | None
    divergence: DivergenceSettings
    learning_rate_scale: float
    lease_file: Path | None
    lease_seconds: float
    threads: int | None

    def curve_fingerprint(self) -> str:
        """SHA-256 over what decides the loss curve: a checkpoint may only be resumed under the same.

        Micro-batch size, precision, attention, threads and gradient checkpointing are left out on purpose: a training
        may move to a smaller machine, at the price of differing in the last bits. The learning rate's scale is left
        out too, since a rolled back training goes on from a checkpoint of the larger one.
        """
        parts = {
            "seed": self.seed,
            "method": self.method,
            "lora": None if self.method == "full" else vars(self.lora),
            "quantization": vars(self.quantization) if self.method == "qlora" else None,
            "packing": self.packing,
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
        return float(self.take(name, *_number_rule(minimum, maximum, above)))

    def number_or_null(self, name: str, minimum: float, maximum: float, *, above: bool = False) -> float | None:
        expected, fits = _number_rule(minimum, maximum, above)
        value = self.take(name, f"null or {expected}", lambda v: v is None or fits(v))
        return None if value is None else float(value)

    def object(self, name: str) -> _Reader:
        values = self.take(name, "an object", lambda v: isinstance(v, dict))
        return _Reader(values, f"{self._prefix}{name}.")

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


def _number_rule(minimum: float, maximum: float, above: bool) -> tuple[str, Callable[[Any], bool]]:
    expected = f"a number {'above' if above else 'from'} {minimum:g} {'and at most' if above else 'to'} {maximum:g}"

    def fits(value: Any) -> bool:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        return (minimum < value if above else minimum <= value) and value <= maximum

    return expected, fits


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_module_choice(value: Any) -> bool:
    if value == "all-linear":
        return True
    return isinstance(value, list) and value != [] and all(isinstance(name, str) and name for name in value)


def _lora_settings(reader: _Reader) -> LoraSettings:
    expected_modules = '"all-linear" or a list of module names'
    settings = LoraSettings(
        rank=reader.integer("rank", 1),
        alpha=reader.number("alpha", 0, 1e6, above=True),
        dropout=reader.number("dropout", 0, 0.99),
        target_modules=reader.take("targetModules", expected_modules, _is_module_choice),
    )
    reader.finish()
    return settings


def _quantization_settings(reader: _Reader) -> QuantizationSettings:
    settings = QuantizationSettings(type=reader.choice("type", "nf4", "fp4"), double=reader.flag("double"))
    reader.finish()
    return settings


def _divergence_settings(reader: _Reader) -> DivergenceSettings:
    settings = DivergenceSettings(
        spike_factor=reader.number_or_null("spikeFactor", 1, 1e6, above=True),
        patience_steps=reader.integer("patienceSteps", 1),
    )
    reader.finish()
    return settings


def parse_config(values: Any) -> TrainConfig:
    """Validates a decoded config; raises `RECIPE_INVALID` naming the first bad field."""
    reader = _Reader(values, "")
    config = TrainConfig(
        model_dir=reader.path("modelDir"),
        train_file=reader.path("trainFile"),
        eval_file=reader.path_or_null("evalFile"),
        guard_file=reader.path_or_null("guardFile"),
        output_dir=reader.path("outputDir"),
        resume_from=reader.path_or_null("resumeFrom"),
        export_only=reader.flag("exportOnly"),
        seed=reader.take("seed", "a whole number from 0 to 4294967295", lambda v: _is_integer(v) and 0 <= v < 2**32),
        method=reader.choice("method", "lora", "qlora", "full"),
        lora=_lora_settings(reader.object("lora")),
        quantization=_quantization_settings(reader.object("quantization")),
        attention=reader.choice("attention", "auto", "eager", "sdpa", "flash"),
        packing=reader.flag("packing"),
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
        eval_every_steps=reader.integer_or_null("evalEverySteps", 1),
        divergence=_divergence_settings(reader.object("divergence")),
        learning_rate_scale=reader.number("learningRateScale", 0, 1, above=True),
        lease_file=reader.path_or_null("leaseFile"),
        lease_seconds=reader.number("leaseSeconds", 0, 1e7, above=True),
        threads=reader.integer_or_null("threads", 1),
    )
    reader.finish()
    if config.batch_rows % config.micro_batch_rows != 0:
        raise _invalid(
            "microBatchRows",
            f"{config.micro_batch_rows} does not divide batchRows ({config.batch_rows})",
            "Choose a divisor of batchRows, so that every step sees whole micro-batches.",
        )
    if config.export_only and config.resume_from is None:
        raise _invalid("exportOnly", "there is no checkpoint to export", "Name one with resumeFrom.")
    files = (("trainFile", config.train_file), ("evalFile", config.eval_file), ("guardFile", config.guard_file))
    for name, file in files:
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
