"""One training from config to exported model, as a sequence of protocol events."""

from __future__ import annotations

import gc
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from ..errors import TrainerError
from . import attention, flops, models
from .checkpoint import Checkpoint, read_checkpoint
from .config import TrainConfig
from .control import Control
from .dataset import TokenisedRows, read_rows, tokenise_rows
from .engine import Emit, ResumableTrainer, Speed, training_arguments
from .evaluation import Evaluator
from .export import export_model
from .memory import require_training_memory
from .metrics import History, Losses, MetricsFiles
from .packing import require_isolation
from .schedule import plan

REPORTED_PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers")


@dataclass(frozen=True)
class _Rows:
    train: TokenisedRows
    held_out: TokenisedRows
    guard: TokenisedRows

    @property
    def longest_tokens(self) -> int:
        return max(rows.longest_tokens for rows in (self.train, self.held_out, self.guard))


def _configure_torch(config: TrainConfig) -> None:
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    # A kernel without a deterministic variant warns instead of failing; on the CPU all that are used have one.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # The zip's own sums cost as much as writing does; the store keeps SHA-256 of each file.
    torch.serialization.set_crc32_options(False)
    set_seed(config.seed)


def _load_rows(config: TrainConfig, tokenizer: Any) -> _Rows:
    def load(path: Path | None, long_rows: str) -> TokenisedRows:
        rows = [] if path is None else read_rows(path)
        return tokenise_rows(tokenizer, rows, config.max_sequence_tokens, long_rows)

    train, held_out = load(config.train_file, config.long_rows), load(config.eval_file, config.long_rows)
    for name, rows, required in (("train", train, True), ("eval", held_out, config.eval_file is not None)):
        if required and rows.examples == []:
            raise TrainerError(
                "DATASET_INVALID",
                f"No {name} row is left; {rows.dropped_rows} dropped as too long.",
                "Give the trainer rows, or raise maxSequenceTokens.",
            )
    # The recipe's rule is about its own rows; a guard row that does not fit says nothing about forgetting.
    return _Rows(train, held_out, load(config.guard_file, "drop"))


def train(config: TrainConfig, control: Control, emit: Emit, *, import_seconds: float = 0.0) -> None:
    """The training itself, from checks to export; raises `Preempted` after SIGTERM and `TrainerError` on failure."""
    started = time.monotonic()
    models.require_model_folder(config.model_dir)
    resumed = None
    if config.resume_from is not None:
        resumed = read_checkpoint(config.resume_from, config.method, config.curve_fingerprint())
    _configure_torch(config)
    device = models.pick_device()
    precision = models.resolve_precision(config.precision, device)
    tokenizer = models.load_tokenizer(config.model_dir)
    rows = _load_rows(config, tokenizer)
    require_training_memory(config, precision, device, rows.longest_tokens)

    # Again, so that the adapter's initial weights depend on nothing that ran before.
    set_seed(config.seed)
    model = models.load_trainable(config, precision, device)
    if config.packing:
        require_isolation(model)
    pad_token_id = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    kernels = attention.choose(config.attention, device, precision)
    schedule = plan(config, rows.train.examples, pad_token_id, kernels)
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    mean_tokens = rows.train.tokens / len(rows.train.examples)
    speed = Speed(flops.flops_per_token(model, config.method, mean_tokens), flops.peak_bf16_flops(gpu))
    emit(
        {
            "event": "started",
            "totalSteps": schedule.total_steps,
            "trainRows": len(rows.train.examples),
            "evalRows": len(rows.held_out.examples),
            "guardRows": len(rows.guard.examples),
            "droppedRows": rows.train.dropped_rows + rows.held_out.dropped_rows,
            "truncatedRows": rows.train.truncated_rows + rows.held_out.truncated_rows,
            "trainTokens": rows.train.tokens,
            "packedSequences": schedule.packed_sequences,
            "trainableParameters": models.trainable_parameters(model),
            "microBatchRows": config.micro_batch_rows,
            "learningRateScale": config.learning_rate_scale,
            "device": device.type,
            "gpu": gpu,
            "precision": precision,
            "attention": kernels,
            "flopsPerToken": speed.flops_per_token,
            "peakFlops": speed.peak_flops,
            "resumedFromStep": None if resumed is None else resumed.state.step,
            "importSeconds": import_seconds,
            "loadSeconds": time.monotonic() - started,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in REPORTED_PACKAGES}},
        }
    )

    history = History() if resumed is None else resumed.history
    metrics = MetricsFiles(config.output_dir / "metrics", history)
    trainer = ResumableTrainer(
        config=config,
        control=control,
        emit=emit,
        evaluator=Evaluator(
            held_out=rows.held_out.examples,
            guard=rows.guard.examples,
            rows=config.micro_batch_rows,
            pad_token_id=pad_token_id,
            precision=precision,
            between_batches=control.raise_if_stopping,
        ),
        history=history,
        metrics=metrics,
        speed=speed,
        schedule=schedule,
        resumed=resumed,
        model=model,
        args=training_arguments(config, schedule.total_steps, device, precision == "bf16"),
    )
    _run_steps(trainer, config, control, resumed, schedule.total_steps)

    step = trainer.state.global_step
    # The exported files are checked with models read from disk; two copies at once might not fit.
    del trainer
    gc.collect()
    export = export_model(config, model, tokenizer, precision, device)
    metrics.close()
    nothing = Losses(None, None)
    before, after = history.evaluations.get(0, nothing), history.evaluations.get(step, nothing)
    control.stop_listening()
    emit(
        {
            "event": "finished",
            "step": step,
            "exportedStep": step,
            "adapterDir": None if export.adapter_dir is None else str(export.adapter_dir),
            "mergedDir": str(export.merged_dir),
            "metricsDir": str(metrics.folder),
            "evalLossBefore": before.eval,
            "evalLossAfter": after.eval,
            "guardLossBefore": before.guard,
            "guardLossAfter": after.guard,
            "logitsMaxAbsDiff": export.logits_max_abs_diff,
            "mergedMaxAbsDiff": export.merged_max_abs_diff,
            "lossCurve": [{"step": step, "loss": loss} for step, loss in history.losses],
            "evalCurve": [
                {"step": step, "evalLoss": losses.eval, "guardLoss": losses.guard}
                for step, losses in history.evaluations.items()
            ],
        }
    )


def _run_steps(
    trainer: ResumableTrainer, config: TrainConfig, control: Control, resumed: Checkpoint | None, total_steps: int
) -> None:
    """Trains what is left, or nothing: then the restored weights are measured, as proof of what is exported."""
    if resumed is not None and (config.export_only or resumed.state.step >= total_steps):
        trainer.restore(resumed)
        trainer.measure()
        return
    trainer.run()
    control.end_steps()
