"""The exported folders can be used by others, in either precision, and hold what was trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

from secpi_trainer.errors import TrainerError
from secpi_trainer.train import export, models, run
from secpi_trainer.train.config import TrainConfig, parse_config
from secpi_trainer.train.control import Control
from secpi_trainer.train.parameters import stored_parameters

CPU = torch.device("cpu")


@pytest.mark.parametrize(("precision", "recompute"), [("fp32", True), ("bf16", False)])
def test_export_changes_the_model_and_names_no_path(
    config_values: dict[str, Any], tiny_model: Path, precision: str, recompute: bool
) -> None:
    events: list[dict[str, Any]] = []
    values = {**config_values, "maxSteps": 6, "precision": precision, "gradientCheckpointing": recompute}
    run.train(parse_config({**values, "scheduler": "constant", "warmupShare": 0}), Control(), events.append)
    finished = events[-1]
    assert finished["logitsMaxAbsDiff"] > 0.01
    assert finished["evalLossAfter"] < finished["evalLossBefore"]
    assert [event["learningRate"] for event in events if event["event"] == "step"] == [0.01] * 6

    adapter, merged = Path(finished["adapterDir"]), Path(finished["mergedDir"])
    assert {path.name for path in adapter.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == tiny_model.name
    assert str(tiny_model.parent) not in (merged / "config.json").read_text()
    original = AutoTokenizer.from_pretrained(tiny_model)
    assert AutoTokenizer.from_pretrained(merged).chat_template == original.chat_template
    assert AutoModelForCausalLM.from_pretrained(merged).num_parameters() > 0


def _trained(values: dict[str, Any], amount: float = 0.05) -> tuple[TrainConfig, Any]:
    """A model whose trained weights have been moved, as training would."""
    config = parse_config(values)
    set_seed(1)
    model = models.load_trainable(config, config.precision, CPU)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += amount * torch.randn_like(parameter)
    return config, model


def _export(config: TrainConfig, model: Any) -> export.Export:
    tokenizer = models.load_tokenizer(config.model_dir)
    return export.export_model(config, model, tokenizer, config.precision, CPU)


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_result_loads_wherever_the_base_did(
    config_values: dict[str, Any],
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    precision: str,
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    # As models of today have them: the old name of dtype, and a generation config that a strict writer refuses.
    shape = json.loads((base / "config.json").read_text())
    shape["torch_dtype"] = shape.pop("dtype")
    (base / "config.json").write_text(json.dumps(shape))
    (base / "generation_config.json").write_text('{"do_sample": false, "temperature": 0.7, "eos_token_id": [2, 0]}')
    (base / "tokenizer.model").write_bytes(b"as it is")
    monkeypatch.setattr(models, "SHARD_BYTES", 100_000)

    config, model = _trained({**config_values, "modelDir": str(base), "method": method, "precision": precision})
    done = _export(config, model)
    merged = done.merged_dir
    assert all(parameter.numel() == 0 for parameter in model.parameters())
    assert done.logits_max_abs_diff > 0.01
    assert done.merged_max_abs_diff < (1e-4 if precision == "fp32" else 0.1)
    assert (done.adapter_dir is None) == (method == "full")
    for name in ("generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model"):
        assert (merged / name).read_bytes() == (base / name).read_bytes(), name
    assert (merged / "chat_template.jinja").read_bytes() == (base / "chat_template.jinja").read_bytes()
    dtype = "float32" if precision == "fp32" else "bfloat16"
    assert json.loads((merged / "config.json").read_text()) == {**shape, "torch_dtype": dtype}
    index = json.loads((merged / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) >= 2
    loaded = AutoModelForCausalLM.from_pretrained(merged)
    assert str(loaded.dtype) == f"torch.{dtype}"
    assert set(index["weight_map"]) <= set(loaded.state_dict())


def test_an_adapter_that_changes_nothing_is_no_result(config_values: dict[str, Any]) -> None:
    config, model = _trained(config_values, amount=0)
    with pytest.raises(TrainerError, match=r"moved the logits by 0\.0") as raised:
        _export(config, model)
    assert raised.value.code == "EXPORT_INVALID"


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_merged_model_that_says_something_else_is_refused(
    config_values: dict[str, Any], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    write = export._write_merged

    def forget_a_layer(model: Any, model_dir: Path, folder: Path) -> None:
        with torch.no_grad():
            model.model.layers[0].mlp.down_proj.weight.zero_()
        write(model, model_dir, folder)

    monkeypatch.setattr(export, "_write_merged", forget_a_layer)
    config, model = _trained({**config_values, "method": method})
    with pytest.raises(TrainerError, match="is off by") as raised:
        _export(config, model)
    assert raised.value.code == "EXPORT_INVALID"


def test_a_model_too_large_for_the_gpu_is_merged_on_the_host(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda", 0)
    assert stored_parameters(tiny_model) == 99_648
    for free, place in ((200_000, CPU), (240_000, gpu)):
        monkeypatch.setattr(export, "available_bytes", lambda device, free=free: free)
        assert export._roomy_device(tiny_model, torch.bfloat16, gpu) == place
