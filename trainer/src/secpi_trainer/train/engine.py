"""The training loop: transformers' Trainer with our events, whole checkpoints and preemption."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import TrainerControl, TrainerState

from ..durable import list_files, whole_folder
from ..errors import TrainerError
from .checkpoint import CheckpointState
from .config import TrainConfig
from .control import Control
from .models import save_adapter

Emit = Callable[[dict[str, Any]], None]
MAX_GRADIENT_NORM = 1.0


def training_arguments(
    config: TrainConfig, total_steps: int, device: torch.device, use_bf16: bool
) -> TrainingArguments:
    """Trainer settings for one pass over the scheduled rows, which hold all epochs in order."""
    return TrainingArguments(
        output_dir=str(config.output_dir),
        max_steps=total_steps,
        per_device_train_batch_size=config.micro_batch_rows,
        gradient_accumulation_steps=config.batch_rows // config.micro_batch_rows,
        learning_rate=config.learning_rate,
        lr_scheduler_type="constant_with_warmup" if config.scheduler == "constant" else config.scheduler,
        warmup_steps=math.ceil(config.warmup_share * total_steps),
        weight_decay=config.weight_decay,
        max_grad_norm=MAX_GRADIENT_NORM,
        optim="adamw_torch",
        seed=config.seed,
        bf16=use_bf16,
        use_cpu=device.type == "cpu",
        activation_checkpointing=config.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
        train_sampling_strategy="sequential",
        dataloader_num_workers=0,
        dataloader_pin_memory=device.type == "cuda",
        logging_strategy="steps",
        logging_steps=1,
        # A loss that is not a number must stop the run, not be averaged away.
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.checkpoint_every_steps,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
    )


class _ControlCallback(TrainerCallback):
    def __init__(self, control: Control) -> None:
        self._control = control

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        if self._control.take_save_request():
            control.should_save = True
        if self._control.stopping:
            control.should_save = True
            control.should_training_stop = True
        return control


class LoraTrainer(Trainer):
    """Emits `step` and `checkpoint` events and writes checkpoints that are whole or absent."""

    def __init__(
        self,
        *,
        config: TrainConfig,
        control: Control,
        emit: Emit,
        rows_per_epoch: int,
        eval_loss_before: float | None,
        **trainer_options: Any,
    ) -> None:
        super().__init__(callbacks=[_ControlCallback(control)], **trainer_options)
        self._config = config
        self._emit = emit
        self._rows_per_epoch = rows_per_epoch
        self._eval_loss_before = eval_loss_before
        self._step_tokens = 0
        self._step_started = time.monotonic()

    def _rows_seen(self) -> int:
        return min(self.state.global_step * self._config.batch_rows, len(self.train_dataset))

    def training_step(self, model: Any, inputs: dict[str, torch.Tensor], *args: Any, **kwargs: Any) -> torch.Tensor:
        if self._step_tokens == 0:
            self._step_started = time.monotonic()
        self._step_tokens += int(inputs["attention_mask"].sum())
        return super().training_step(model, inputs, *args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super().log(logs, start_time)
        if "loss" not in logs:
            return
        step, loss, gradient_norm = self.state.global_step, logs["loss"], logs["grad_norm"]
        self._emit(
            {
                "event": "step",
                "step": step,
                "loss": loss,
                "learningRate": logs["learning_rate"],
                "gradNorm": gradient_norm,
                "epoch": self._rows_seen() / self._rows_per_epoch,
                "tokens": self._step_tokens,
                "seconds": time.monotonic() - self._step_started,
            }
        )
        self._step_tokens = 0
        # Logging comes before saving, so a diverged state is never written.
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            raise TrainerError(
                "TRAINING_DIVERGED",
                f"At step {step} the loss is {loss} and the gradient norm {gradient_norm}.",
                "Lower learningRate, raise warmupShare, or look for broken rows; then resume from a checkpoint.",
                details={"step": step},
            )

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        started = time.monotonic()
        step = self.state.global_step
        target = self._config.output_dir / "checkpoints" / f"step-{step:08d}"
        with whole_folder(target) as folder:
            save_adapter(self.model, folder)
            self._save_optimizer_and_scheduler(str(folder))
            self._save_rng_state(str(folder))
            self.state.save_to_json(str(folder / "trainer_state.json"))
            fingerprint = self._config.curve_fingerprint()
            CheckpointState(step, self._rows_seen(), fingerprint, self._eval_loss_before).write(folder)
        self._emit(
            {
                "event": "checkpoint",
                "step": step,
                "dir": str(target),
                "files": list_files(target),
                "seconds": time.monotonic() - started,
            }
        )

    def loss_curve(self) -> list[dict[str, float]]:
        """Every step's loss from step 1 on, those before a resume included."""
        return [{"step": e["step"], "loss": e["loss"]} for e in self.state.log_history if "loss" in e]

    def restore_finished(self, checkpoint: Path) -> None:
        """Loads adapter and history of a checkpoint that has no step left to train."""
        self._load_from_checkpoint(str(checkpoint))
        self.state = TrainerState.load_from_json(os.fspath(checkpoint / "trainer_state.json"))
