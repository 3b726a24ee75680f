"""The probe answers in one line, with or without a GPU."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from conftest import Process

from secpi_trainer import probe as probe_module
from secpi_trainer.train import attention

FIELDS = {"torch", "cuda", "driver", "gpus", "flashAttention", "bitsandbytes", "cpuThreads", "memoryBytes"}


def test_the_command_prints_one_line_and_leaves_with_0() -> None:
    process = Process("probe")
    assert process.finish(timeout=60) == 0
    (report,) = process.events
    assert set(report) == FIELDS
    assert report["torch"] == torch.__version__
    assert report["bitsandbytes"] == version("bitsandbytes")
    assert report["cpuThreads"] >= 1
    assert report["memoryBytes"] > 2**20
    assert (report["gpus"] != []) == (report["cuda"] is not None) == torch.cuda.is_available()


def test_each_gpu_is_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    properties = SimpleNamespace(name="NVIDIA H100 80GB HBM3", uuid="0123-4567", major=9, minor=0)
    driver = tmp_path / "version"
    driver.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build\nGCC version: 12.2.0\n"
    )
    monkeypatch.setattr(probe_module, "NVIDIA_DRIVER_FILE", driver)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (70_000, 80_000))
    report = probe_module.probe()
    assert report["driver"] == "570.133.20"
    assert report["cuda"] == torch.version.cuda
    assert report["gpus"] == [
        {
            "index": 0,
            "name": "NVIDIA H100 80GB HBM3",
            "uuid": "GPU-0123-4567",
            "totalBytes": 80_000,
            "freeBytes": 70_000,
            "bf16": True,
            "computeCapability": "9.0",
            "peakFlops": 989.4e12,
        }
    ]


@pytest.mark.parametrize(
    ("installed", "generation", "chosen"),
    [
        ({"flash-attn"}, 8, "flash_attention_2"),
        ({"flash-attn", "flash-attn-3"}, 9, "flash_attention_3"),
        ({"flash-attn", "flash-attn-3"}, 8, "flash_attention_2"),
        ({"flash-attn"}, 7, "sdpa"),
        (set(), 9, "sdpa"),
    ],
)
def test_auto_takes_the_flash_attention_that_the_gpu_has_kernels_for(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], generation: int, chosen: str
) -> None:
    monkeypatch.setattr(attention, "_installed_version", lambda name: "1" if name in installed else None)
    monkeypatch.setattr(attention, "import_module", lambda name: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (generation, 0))
    gpu = torch.device("cuda", 0)
    assert attention.choose("auto", gpu, "bf16") == chosen
    assert attention.choose("auto", gpu, "fp32") == "sdpa"


def test_flash_attention_built_for_another_torch_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ImportError("undefined symbol")

    monkeypatch.setattr(attention, "_installed_version", lambda name: "2.8.3" if name == "flash-attn" else None)
    monkeypatch.setattr(attention, "import_module", broken)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert attention.choose("auto", torch.device("cuda", 0), "bf16") == "sdpa"
    with pytest.raises(attention.TrainerError, match="undefined symbol"):
        attention.choose("flash", torch.device("cuda", 0), "bf16")
