"""The memory estimate follows the method and the attention, and holds against real trainings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import SOURCE

from secpi_trainer.errors import TrainerError
from secpi_trainer.train import available, memory
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.parameters import ParameterCounts, parameter_counts

CPU = torch.device("cpu")
# What the estimate may be off, either way.
FACTOR = 1.7
VARIANTS: list[dict[str, Any]] = [
    {"method": "lora"},
    {"method": "lora", "attention": "eager"},
    {"method": "lora", "gradientCheckpointing": True},
    {"method": "qlora"},
    {"method": "full", "precision": "bf16"},
]


@pytest.fixture(scope="module")
def larger_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """7 million weights, so that what is measured is not the allocator's grain."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("memory") / "larger"
    shape = LlamaConfig(
        vocab_size=4096,
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=4,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    return folder


def test_the_estimate_is_near_the_peak_of_a_real_training(config_values: dict[str, Any], larger_model: Path) -> None:
    configs = [{**config_values, "modelDir": str(larger_model), "microBatchRows": 4, **variant} for variant in VARIANTS]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fixtures_memory.py"))],
        input=json.dumps(configs),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HF_HUB_OFFLINE": "1"},
        check=True,
    )
    results = json.loads(done.stdout.splitlines()[-1])
    ratios = [result["estimateBytes"] / result["measuredBytes"] for result in results]
    report = "\n".join(f"{ratio:.2f} {variant}" for variant, ratio in zip(VARIANTS, ratios, strict=True))
    print(report)
    assert all(1 / FACTOR < ratio < FACTOR for ratio in ratios), report


def _counts(config_values: dict[str, Any], **changes: Any) -> tuple[Any, ParameterCounts]:
    config = parse_config({**config_values, **changes})
    return config, parameter_counts(config)


def test_weights_are_counted_by_method(config_values: dict[str, Any]) -> None:
    """The tiny model has 100,000 weights and some; 73,728 of them lie in the linear layers of its blocks."""
    config, counts = _counts(config_values, method="full")
    assert (counts.trainable, counts.frozen, counts.quantised) == (99_648, 0, 0)
    assert memory.weight_bytes(counts, config, "fp32") == 16 * 99_648
    assert memory.weight_bytes(counts, config, "bf16") == 18 * 99_648
    adapter = 4 * 2 * (2 * 128 + 2 * 96 + 3 * 192)
    config, counts = _counts(config_values, method="lora")
    assert (counts.trainable, counts.frozen, counts.quantised) == (adapter, 99_648, 0)
    assert memory.weight_bytes(counts, config, "fp32") == 16 * adapter + 4 * 99_648
    for double, bytes_per_weight in ((False, 0.5625), (True, 0.515869140625)):
        config, counts = _counts(config_values, method="qlora", quantization={"type": "nf4", "double": double})
        assert counts.quantised == 73_728
        expected = 18 * adapter + 2 * (99_648 - 73_728) + bytes_per_weight * 73_728
        assert memory.weight_bytes(counts, config, "bf16") == expected


def test_only_eager_attention_grows_with_the_square(config_values: dict[str, Any]) -> None:
    config, counts = _counts(config_values)

    def growth(implementation: str) -> float:
        one, two = (memory.activation_bytes(counts, config, "bf16", implementation, tokens) for tokens in (4096, 8192))
        return two / one

    assert growth("flash_attention_2") == 2
    assert 2 < growth("sdpa") < 3.5
    assert growth("eager") > 3.5


def test_what_cannot_fit_is_refused_with_figures(
    config_values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, counts = _counts(config_values, packing=True)
    memory.require_training_memory(config, "fp32", CPU, longest_tokens=100)
    monkeypatch.setattr(memory, "available_bytes", lambda device: memory.RUNTIME_BYTES)
    with pytest.raises(TrainerError, match="training needs about") as raised:
        memory.require_training_memory(config, "fp32", CPU, longest_tokens=100)
    assert raised.value.code == "RESOURCES_INSUFFICIENT"
    expected = memory.estimate_bytes(counts, config, "fp32", "sdpa", config.max_sequence_tokens, CPU)
    assert raised.value.details == {"estimateBytes": expected, "availableBytes": memory.RUNTIME_BYTES}


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (("memory.max", "memory.current"), ("inactive_file", "active_file")),
        (("memory.limit_in_bytes", "memory.usage_in_bytes"), ("total_inactive_file", "total_active_file")),
    ],
)
def test_what_a_container_keeps_of_files_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str], fields: tuple[str, str]
) -> None:
    gib = 2**30
    (tmp_path / names[0]).write_text(f"{4 * gib}\n")
    (tmp_path / names[1]).write_text(f"{3 * gib}\n")
    (tmp_path / "memory.stat").write_text(f"anon {gib}\n{fields[0]} {gib}\n{fields[1]} {gib // 2}\n")
    monkeypatch.setattr(available, "CGROUP_FILES", ((str(tmp_path), *names, fields),))
    assert available.available_bytes(CPU) == 4 * gib - 3 * gib // 2
    (tmp_path / names[0]).write_text("max\n")
    assert available.available_bytes(CPU) > 4 * gib - 3 * gib // 2
