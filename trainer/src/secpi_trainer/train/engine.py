"""The training loop: transformers' Trainer with our events, whole checkpoints and preemption."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import TrainerControl, TrainerState

from ..durable import list_files, whole_folder
from . import models
from .checkpoint import Checkpoint, CheckpointState, reading
from .config import TrainConfig
from .control import Control, Preempted
from .divergence import DivergenceGuard, require_finite
from .evaluation import Evaluator
from .metrics import History, Losses, MetricsFiles
from .schedule import Schedule

Emit = Callable[[dict[str, Any]], None]
MAX_GRADIENT_NORM = 1.0


def training_arguments(
    config: TrainConfig, total_steps: int, device: torch.device, use_bf16: bool
) -> TrainingArguments:
    """Trainer settings for one pass over the scheduled rows, which hold all epochs in order."""
    arguments = TrainingArguments(
        output_dir=str(config.output_dir),
        max_steps=total_steps,
        per_device_train_batch_size=config.micro_batch_rows,
        gradient_accumulation_steps=config.batch_rows // config.micro_batch_rows,
        learning_rate=config.learning_rate * config.learning_rate_scale,
        lr_scheduler_type="constant_with_warmup" if config.scheduler == "constant" else config.scheduler,
        # The first step of a warm-up has a learning rate of 0: one step alone would train nothing.
        warmup_steps=0 if total_steps == 1 else math.ceil(config.warmup_share * total_steps),
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
        # _Flow decides what is measured and saved.
        save_strategy="no",
        eval_strategy="no",
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
    )
    # One process trains on one GPU. transformers would give each GPU that it sees a micro-batch of its own.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


@dataclass(frozen=True)
class Speed:
    """What a step's share of the GPU's peak is computed from; None where the peak is not known."""

    flops_per_token: float
    peak_flops: float | None

    def peak_share(self, tokens: int, seconds: float) -> float | None:
        return None if self.peak_flops is None else tokens * self.flops_per_token / seconds / self.peak_flops


class _Flow(TrainerCallback):
    """Decides before the first step whether to measure, and after each whether to measure, to save and to leave."""

    def __init__(self, config: TrainConfig, control: Control, history: History, measure: Callable[[], None]) -> None:
        self._config = config
        self._control = control
        self._history = history
        self._measure = measure

    def _is_measured(self, step: int) -> bool:
        every = self._config.eval_every_steps
        return step == 0 or (every is not None and step % every == 0)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        # Also one that was cut short when its step was saved: the curve shall be that of an unbroken training.
        if self._is_measured(state.global_step) and state.global_step not in self._history.evaluations:
            self._measure()
        self._control.begin_steps()
        return control

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        step, last = state.global_step, state.global_step >= state.max_steps
        control.should_evaluate = last or self._is_measured(step)
        control.should_save = control.should_evaluate or step % self._config.checkpoint_every_steps == 0
        if self._control.take_save_request():
            control.should_save = True
        if self._control.stopping:
            # What is measured now would be measured in the time that is left for the save.
            control.should_evaluate = False
            control.should_save = True
            control.should_training_stop = True
        return control

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """A SIGTERM during the save: what is saved is the newest there is, and no other step is begun."""
        if self._control.stopping:
            control.should_training_stop = True
        return control


class ResumableTrainer(Trainer):
    """Emits the events of a training and writes checkpoints that are whole or absent.

    Trains every method: what is frozen and what is saved is told by `models`. With several processes, only rank 0
    may emit, write metrics and save.
    """

    def __init__(
        self,
        *,
        config: TrainConfig,
        control: Control,
        emit: Emit,
        evaluator: Evaluator,
        history: History,
        metrics: MetricsFiles,
        speed: Speed,
        schedule: Schedule,
        resumed: Checkpoint | None,
        **trainer_options: Any,
    ) -> None:
        super().__init__(
            callbacks=[_Flow(config, control, history, self.measure)],
            train_dataset=schedule.items,
            data_collator=schedule.collate,
            **trainer_options,
        )
        self.remove_callback(PrinterCallback)
        self._config = config
        self._emit = emit
        self._evaluator = evaluator
        self._history = history
        self._metrics = metrics
        self._speed = speed
        self._schedule = schedule
        self._resumed = resumed
        self._process = psutil.Process()
        self._guard = DivergenceGuard(config.divergence)
        for _, loss in history.losses:
            self._guard.observe(loss)
        self._save_owed = False
        self._step_started: float | None = None

    def _rows_seen(self, step: int) -> int:
        return min(step * self._config.batch_rows, len(self._schedule.item_tokens))

    def _memory_bytes(self) -> int:
        if self.args.device.type == "cuda":
            return torch.cuda.max_memory_allocated()
        return self._process.memory_info().rss

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted here: the base class walks through all modules for it at each micro-batch; see `Speed`."""
        return 0

    def training_step(self, model: Any, inputs: dict[str, torch.Tensor], *args: Any, **kwargs: Any) -> torch.Tensor:
        if self._step_started is None:
            self._step_started = time.monotonic()
        return super().training_step(model, inputs, *args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Takes a finished step. The base class would keep each in `trainer_state.json`, read and written whole."""
        if "loss" not in logs or self._step_started is None:
            return
        seconds = time.monotonic() - self._step_started
        self._step_started = None
        step, loss, gradient_norm = self.state.global_step, logs["loss"], logs["grad_norm"]
        tokens = sum(self._schedule.item_tokens[self._rows_seen(step - 1) : self._rows_seen(step)])
        event = {
            "event": "step",
            "step": step,
            "loss": loss,
            "learningRate": logs["learning_rate"],
            "gradNorm": gradient_norm,
            "epoch": self._rows_seen(step) / self._schedule.items_per_epoch,
            "tokens": tokens,
            "seconds": seconds,
            "peakShare": self._speed.peak_share(tokens, seconds),
            "memoryBytes": self._memory_bytes(),
        }
        self._emit(event)
        # Before anything of this step is kept or saved.
        require_finite(step, loss, gradient_norm)
        self._metrics.add(self._history.add(event))
        spike = self._guard.observe(loss)
        if spike is not None:
            self._emit(
                {"event": "diverging", "step": step, "loss": loss, "median": spike.median, "spikes": spike.spikes}
            )
            self._guard.require_patience(step)
            self._guard.require_calm_end(step, is_last=step >= self.state.max_steps)

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        self.control.should_save = self.control.should_save or self._save_owed
        super()._maybe_log_save_evaluate(*args, **kwargs)

    def _evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        self.control.should_evaluate = False
        try:
            self.measure()
        except Preempted:
            # The step is done: its state is worth more than the figure.
            self.control.should_save = True
            self.control.should_training_stop = True
        return {}

    def measure(self) -> None:
        """Measures the present weights, tells it and keeps it; nothing where there are no rows to measure on."""
        losses = self._evaluator.measure(self.model)
        if losses == Losses(None, None):
            return
        step = self.state.global_step
        event = {"event": "evaluated", "step": step, "evalLoss": losses.eval, "guardLoss": losses.guard}
        if step not in self._history.evaluations:
            self._metrics.add(self._history.add(event))
        self._emit(event)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # The last state is saved whatever its loss: it is the one that is exported.
        self._save_owed = self._guard.spiking and self.state.global_step < self.state.max_steps
        if self._save_owed:
            return
        started = time.monotonic()
        step = self.state.global_step
        self._emit({"event": "saving", "step": step})
        target = self._config.output_dir / "checkpoints" / f"step-{step:08d}"
        # It is safe once it lies in the store; after a crash of the machine nobody reads the copy here.
        with whole_folder(target, survives_power_cut=False) as folder:
            models.save_trainable(self.model, folder, self._config.method)
            self._save_optimizer_and_scheduler(str(folder))
            self._save_rng_state(str(folder))
            self.state.save_to_json(str(folder / "trainer_state.json"))
            self._history.write(folder)
            fingerprint = self._config.curve_fingerprint()
            scale = self._config.learning_rate_scale
            CheckpointState(step, self._rows_seen(step), fingerprint, scale).write(folder)
        evaluation = self._history.evaluations.get(step)
        self._emit(
            {
                "event": "checkpoint",
                "step": step,
                "dir": str(target),
                "files": list_files(target),
                "seconds": time.monotonic() - started,
                "evalLoss": None if evaluation is None else evaluation.eval,
                "final": step >= self.state.max_steps,
            }
        )

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """As the base class, but through a file object: given a path, torch takes three times as long."""
        for part, name in ((self.optimizer, "optimizer.pt"), (self.lr_scheduler, "scheduler.pt")):
            with (Path(output_dir) / name).open("wb") as file:
                torch.save(part.state_dict(), file)

    def run(self) -> None:
        """Trains from the beginning or the resumed checkpoint to the last step, or to a SIGTERM."""
        self.train(resume_from_checkpoint=None if self._resumed is None else str(self._resumed.folder))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes weights and step of a checkpoint that nothing more is trained on."""
        self._load_from_checkpoint(str(checkpoint.folder))
        with reading(checkpoint.folder):
            self.state = TrainerState.load_from_json(str(checkpoint.folder / "trainer_state.json"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        folder = Path(resume_from_checkpoint)
        with reading(folder):
            models.load_trainable_weights(self.model if model is None else model, folder, self._config.method)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            with reading(Path(checkpoint)):
                super()._load_rng_state(checkpoint)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self._resumed is None:
            return
        with reading(Path(checkpoint)):
            super()._load_optimizer_and_scheduler(checkpoint)
        if self._resumed.state.learning_rate_scale != self._config.learning_rate_scale:
            self._rescale_learning_rate()

    def _rescale_learning_rate(self) -> None:
        """Optimiser and scheduler go on with this training's base rate, at the same place of the schedule."""
        base, scheduler = self.args.learning_rate, self.lr_scheduler
        groups = self.optimizer.param_groups
        for group, factor in zip(groups, scheduler.lr_lambdas, strict=True):
            group["initial_lr"] = base
            group["lr"] = base * factor(scheduler.last_epoch)
        scheduler.base_lrs = [base] * len(groups)
        scheduler._last_lr = [group["lr"] for group in groups]
