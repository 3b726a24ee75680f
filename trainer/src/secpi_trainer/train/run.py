"""One training from config to exported model, as a sequence of protocol events."""

from __future__ import annotations

import gc
import math
import platform
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

import torch
from transformers import set_seed

from ..errors import EXIT_FINISHED, EXIT_PREEMPTED, TrainerError
from ..protocol import watch_stdin, write_line
from . import models
from .checkpoint import CheckpointState, read_checkpoint
from .config import TrainConfig, read_config
from .control import Control, Preempted
from .dataset import ScheduledRows, TokenisedRows, collate, read_rows, tokenise_rows
from .engine import Emit, LoraTrainer, training_arguments
from .evaluation import evaluation_loss
from .export import export_adapter, export_merged
from .memory import available_bytes, estimate_bytes, require_memory

REPORTED_PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers")


def run_training(config_file: Path, protocol: TextIO) -> int:
    """Trains as the config says and returns the exit code; errors the caller can act on are raised."""
    emit: Emit = partial(write_line, protocol)
    control = Control()
    control.listen_for_sigterm()
    watch_stdin(control.on_command)
    try:
        train(read_config(config_file), control, emit)
    except Preempted:
        return EXIT_PREEMPTED
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainerError(
            "TRAINER_OUT_OF_MEMORY",
            f"Memory ran out: {str(error).splitlines()[0] if str(error) else 'no more could be allocated'}",
            "Lower microBatchRows or maxSequenceTokens, or turn gradientCheckpointing on; then resume.",
        ) from error
    return EXIT_FINISHED


def is_out_of_memory(error: BaseException) -> bool:
    """True for the errors that torch raises when an allocation fails."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # The CPU allocator raises a plain RuntimeError.
    return any(words in str(error) for words in ("can't allocate memory", "not enough memory", "CUDA out of memory"))


def _configure_torch(config: TrainConfig) -> None:
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    # A kernel without a deterministic variant warns instead of failing; on the CPU all that are used have one.
    torch.use_deterministic_algorithms(True, warn_only=True)
    set_seed(config.seed)


def _load_rows(config: TrainConfig, tokenizer: Any) -> tuple[TokenisedRows, TokenisedRows]:
    def load(path: Path | None) -> TokenisedRows:
        rows = [] if path is None else read_rows(path)
        return tokenise_rows(tokenizer, rows, config.max_sequence_tokens, config.long_rows)

    train, held_out = load(config.train_file), load(config.eval_file)
    for name, rows, required in (("train", train, True), ("eval", held_out, config.eval_file is not None)):
        if required and rows.examples == []:
            raise TrainerError(
                "DATASET_INVALID",
                f"No {name} row is left; {rows.dropped_rows} dropped as too long.",
                "Give the trainer rows, or raise maxSequenceTokens.",
            )
    return train, held_out


def _require_resources(config: TrainConfig, precision: str, device: torch.device, longest_tokens: int) -> None:
    model_config, base, adapter = models.parameter_counts(config.model_dir, config.lora)
    needed = estimate_bytes(
        model_config,
        base,
        adapter,
        weight_bytes=models.torch_dtype(precision).itemsize,
        rows=config.micro_batch_rows,
        tokens=longest_tokens,
        recompute=config.gradient_checkpointing,
    )
    require_memory(needed, available_bytes(device))


def train(config: TrainConfig, control: Control, emit: Emit) -> None:
    """The training itself, from checks to export; raises `Preempted` after SIGTERM and `TrainerError` on failure."""
    models.require_model_folder(config.model_dir)
    resumed = read_checkpoint(config.resume_from, config.curve_fingerprint()) if config.resume_from else None
    _configure_torch(config)
    device = models.pick_device()
    precision = models.resolve_precision(config.precision, device)
    tokenizer = models.load_tokenizer(config.model_dir)
    train_rows, held_out = _load_rows(config, tokenizer)
    _require_resources(config, precision, device, max(train_rows.longest_tokens, held_out.longest_tokens))
    control.leave_if_stopping()

    # Again, so that the adapter's initial weights depend on nothing that ran before.
    set_seed(config.seed)
    base = models.load_base(config.model_dir, precision, device)
    model = models.attach_adapter(base, config.lora, config.model_dir.name)
    total_rows = math.ceil(config.epochs * len(train_rows.examples))
    total_steps = math.ceil(total_rows / config.batch_rows)
    if config.max_steps is not None:
        total_steps = min(total_steps, config.max_steps)
    emit(
        {
            "event": "started",
            "totalSteps": total_steps,
            "trainRows": len(train_rows.examples),
            "evalRows": len(held_out.examples),
            "droppedRows": train_rows.dropped_rows + held_out.dropped_rows,
            "truncatedRows": train_rows.truncated_rows + held_out.truncated_rows,
            "trainTokens": train_rows.tokens,
            "device": device.type,
            "precision": precision,
            "resumedFromStep": None if resumed is None else resumed.step,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in REPORTED_PACKAGES}},
        }
    )

    pad_token_id = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    measure = partial(
        evaluation_loss,
        examples=held_out.examples,
        rows=config.micro_batch_rows,
        pad_token_id=pad_token_id,
        between_batches=control.leave_if_stopping,
    )
    loss_before = _loss_before(resumed, held_out, model, measure, emit)
    trainer = LoraTrainer(
        config=config,
        control=control,
        emit=emit,
        rows_per_epoch=len(train_rows.examples),
        eval_loss_before=loss_before,
        model=model,
        args=training_arguments(config, total_steps, device, precision == "bf16"),
        train_dataset=ScheduledRows(train_rows.examples, config.seed, min(total_steps * config.batch_rows, total_rows)),
        data_collator=partial(collate, pad_token_id=pad_token_id),
    )
    if resumed is not None and resumed.step >= total_steps:
        trainer.restore_finished(config.resume_from)
    else:
        trainer.train(resume_from_checkpoint=None if resumed is None else str(config.resume_from))
    control.leave_if_stopping()

    loss_after = None
    if held_out.examples:
        loss_after = measure(model)
        emit({"event": "evaluated", "step": trainer.state.global_step, "evalLoss": loss_after})
    adapter_dir = export_adapter(model, config.output_dir)
    step, curve = trainer.state.global_step, trainer.loss_curve()
    # The exported files are checked with models read from disk; two copies at once might not fit.
    del trainer, model, base
    gc.collect()
    control.leave_if_stopping()
    export = export_merged(config.model_dir, adapter_dir, tokenizer, precision, device)
    emit(
        {
            "event": "finished",
            "step": step,
            "adapterDir": str(export.adapter_dir),
            "mergedDir": str(export.merged_dir),
            "evalLossBefore": loss_before,
            "evalLossAfter": loss_after,
            "logitsMaxAbsDiff": export.logits_max_abs_diff,
            "mergedMaxAbsDiff": export.merged_max_abs_diff,
            "lossCurve": curve,
        }
    )


def _loss_before(
    resumed: CheckpointState | None, held_out: TokenisedRows, model: Any, measure: Any, emit: Emit
) -> float | None:
    if resumed is not None:
        return resumed.eval_loss_before
    if not held_out.examples:
        return None
    loss = measure(model)
    emit({"event": "evaluated", "step": 0, "evalLoss": loss})
    return loss
