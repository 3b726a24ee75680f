"""A tiny random Llama with its own tokenizer and ChatML template, and drivers for real trainer processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secpi_trainer import runtime

# As in the trainer's own process, and before anything imports transformers.
runtime.stay_offline()

SOURCE = Path(__file__).resolve().parent.parent / "src"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a small test model.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TASKS = ("read a file", "run a query", "hash a password", "make a token", "parse a number", "open a page")


def training_rows(count: int, offset: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "id": f"row-{offset + index}",
            "prompt": [
                {"role": "user", "content": f"Write function f{offset + index} to {TASKS[index % len(TASKS)]}."}
            ],
            "reasoning": f"The input is not trusted, so case {index} is checked first.",
            "answer": f"def f{offset + index}(x):\n    return check(x)",
        }
        for index in range(count)
    ]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of about 150,000 parameters."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model") / "tiny"
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator([json.dumps(row) for row in training_rows(30)], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def data_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("data")
    return write_rows(folder / "train.jsonl", training_rows(18)), write_rows(
        folder / "eval.jsonl", training_rows(4, 90)
    )


@pytest.fixture
def config_values(tiny_model: Path, data_files: tuple[Path, Path], tmp_path: Path) -> dict[str, Any]:
    """A valid training config on the tiny model."""
    return base_config(tiny_model, data_files, tmp_path / "out")


def base_config(model: Path, data: tuple[Path, Path], output: Path) -> dict[str, Any]:
    return {
        "modelDir": str(model),
        "trainFile": str(data[0]),
        "evalFile": str(data[1]),
        "guardFile": None,
        "outputDir": str(output),
        "resumeFrom": None,
        "exportOnly": False,
        "seed": 11,
        "method": "lora",
        "lora": {"rank": 4, "alpha": 8, "dropout": 0.1, "targetModules": "all-linear"},
        "quantization": {"type": "nf4", "double": True},
        "attention": "auto",
        "packing": False,
        "epochs": 10,
        "maxSteps": None,
        "batchRows": 4,
        "microBatchRows": 2,
        "learningRate": 0.01,
        "scheduler": "cosine",
        "warmupShare": 0.1,
        "weightDecay": 0.01,
        "maxSequenceTokens": 256,
        "longRows": "drop",
        "precision": "fp32",
        "gradientCheckpointing": False,
        "checkpointEverySteps": 5,
        "evalEverySteps": None,
        "divergence": {"spikeFactor": 5, "patienceSteps": 5},
        "learningRateScale": 1,
        "leaseFile": None,
        "leaseSeconds": 60,
        "threads": 1,
    }


class Process:
    """A trainer or server process whose stdout is read event by event."""

    def __init__(self, *arguments: str, stdin: int = subprocess.PIPE) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "secpi_trainer", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        self.events: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.events.append(json.loads(line))
            yield self.events[-1]

    def until(self, name: str, **fields: Any) -> dict[str, Any]:
        """Reads up to the first event of that name with these fields."""
        for event in self:
            if event["event"] == name and all(event[key] == value for key, value in fields.items()):
                return event
        raise AssertionError(f"no {name} event; the last was {self.events[-1:]}")

    def close_stdin(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def finish(self, timeout: float = 90) -> int:
        """Reads the rest and returns the exit code."""
        for _ in self:
            pass
        return self.popen.wait(timeout)

    def stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()


@pytest.fixture
def start_trainer(tmp_path: Path) -> Iterator[Any]:
    """Starts trainer processes from config values; kills what is still running at the end."""
    started: list[Process] = []

    def start(values: dict[str, Any]) -> Process:
        config = tmp_path / f"config-{len(started)}.json"
        config.write_text(json.dumps(values), encoding="utf-8")
        started.append(Process("train", "--config", str(config), stdin=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.stop()
