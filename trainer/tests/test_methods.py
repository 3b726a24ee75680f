"""Every method trains, resumes to the bit, and exports a model that others can load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, set_seed

from secpi_trainer.errors import TrainerError
from secpi_trainer.train import attention, flops, models, run
from secpi_trainer.train.config import parse_config
from secpi_trainer.train.control import Control
from secpi_trainer.train.dataset import collate, read_rows, tokenise_rows

CPU = torch.device("cpu")
VARIANTS: dict[str, dict[str, Any]] = {
    "lora, packed, recomputed": {"method": "lora", "packing": True, "gradientCheckpointing": True},
    "qlora fp4 bf16": {"method": "qlora", "quantization": {"type": "fp4", "double": False}, "precision": "bf16"},
    "qlora nf4 double, packed, recomputed": {"method": "qlora", "packing": True, "gradientCheckpointing": True},
    "full": {"method": "full", "learningRate": 0.003},
    "full bf16, recomputed": {
        "method": "full",
        "learningRate": 0.003,
        "precision": "bf16",
        "gradientCheckpointing": True,
    },
}


def _train(values: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []

    def leave() -> None:
        raise AssertionError("nobody asked it to leave")

    run.train(parse_config(values), Control(leave), events.append)
    return events


def _losses(events: list[dict[str, Any]]) -> dict[int, float]:
    return {event["step"]: event["loss"] for event in events if event["event"] == "step"}


@pytest.mark.parametrize("name", VARIANTS)
def test_it_learns_resumes_to_the_bit_and_exports(config_values: dict[str, Any], tmp_path: Path, name: str) -> None:
    values = {**config_values, **VARIANTS[name], "maxSteps": 8, "checkpointEverySteps": 5, "maxSequenceTokens": 300}
    events = _train(values)
    finished = events[-1]
    assert finished["event"] == "finished"
    assert finished["evalLossAfter"] < finished["evalLossBefore"] - 0.1
    assert (events[0]["packedSequences"] is not None) == values["packing"]

    resume = str(Path(values["outputDir"]) / "checkpoints" / "step-00000005")
    resumed = _train({**values, "resumeFrom": resume, "outputDir": str(tmp_path / "resumed")})
    losses = _losses(events)
    assert _losses(resumed) == {step: loss for step, loss in losses.items() if step > 5}
    assert resumed[-1]["evalLossAfter"] == finished["evalLossAfter"]
    merged, again = Path(finished["mergedDir"]), Path(resumed[-1]["mergedDir"])
    assert (merged / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
    assert (finished["adapterDir"] is None) == (values["method"] == "full")

    exported = AutoModelForCausalLM.from_pretrained(merged)
    assert exported.dtype == models.torch_dtype(values["precision"])
    assert "quantization_config" not in json.loads((merged / "config.json").read_text())


def _loaded(config_values: dict[str, Any], **changes: Any) -> Any:
    config = parse_config({**config_values, **changes})
    set_seed(config.seed)
    return models.load_trainable(config, config.precision, CPU)


def test_four_bit_weights_take_a_seventh_and_evaluation_leaves_them_alone(config_values: dict[str, Any]) -> None:
    """On CPUs with AVX512-BF16, bitsandbytes would repack them at the first evaluation, and stop the gradient."""
    model = _loaded(config_values, method="qlora", lora={**config_values["lora"], "dropout": 0})
    layer = model.base_model.model.model.layers[0].mlp.up_proj.base_layer
    assert (layer.weight.dtype, layer.weight.numel()) == (torch.uint8, 64 * 128 // 2)
    before = (layer.weight.clone(), layer.weight.quant_state.absmax.clone())
    model.eval()
    with torch.no_grad():
        model(input_ids=torch.arange(8)[None], use_cache=False)
    assert torch.equal(layer.weight, before[0])
    assert torch.equal(layer.weight.quant_state.absmax, before[1])
    model.train()
    tokens = torch.arange(8)[None]
    model(input_ids=tokens, labels=tokens, use_cache=False).loss.backward()
    gradients = [
        parameter.grad for name, parameter in model.named_parameters() if "layers.0" in name and "lora_B" in name
    ]
    assert gradients
    assert all(gradient is not None and gradient.abs().max() > 0 for gradient in gradients)


def test_what_is_trained_is_in_fp32_and_nothing_else_is(config_values: dict[str, Any]) -> None:
    full = _loaded(config_values, method="full", precision="bf16")
    assert {(p.dtype, p.requires_grad) for p in full.parameters()} == {(torch.float32, True)}
    lora = _loaded(config_values, method="lora", precision="bf16")
    assert {p.dtype for p in lora.parameters() if p.requires_grad} == {torch.float32}
    assert {p.dtype for p in lora.parameters() if not p.requires_grad} == {torch.bfloat16}
    assert models.trainable_parameters(full) == full.num_parameters()


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
def test_recomputing_activations_changes_no_gradient(
    config_values: dict[str, Any], data_files: tuple[Path, Path], tiny_model: Path, method: str
) -> None:
    rows = tokenise_rows(models.load_tokenizer(tiny_model), read_rows(data_files[1]), 256, "fail").examples
    gradients = []
    for recompute in (False, True):
        model = _loaded(config_values, method=method)
        if recompute:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        model.train()
        set_seed(7)
        model(**collate(rows, 0), use_cache=False).loss.backward()
        gradients.append([p.grad for p in model.parameters() if p.requires_grad])
    assert all(gradient is not None for gradient in gradients[1])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert any(gradient.abs().max() > 0 for gradient in gradients[1])


def test_full_weights_are_saved_in_shards_and_come_back(
    config_values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "SHARD_BYTES", 100_000)
    model = _loaded(config_values, method="full")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter)
    models.save_trainable(model, tmp_path, "full")
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) > 3
    assert models.FULL_INDEX_FILE in names
    fresh = _loaded(config_values, method="full")
    models.load_trainable_weights(fresh, tmp_path, "full")
    for (name, ours), (_, theirs) in zip(model.named_parameters(), fresh.named_parameters(), strict=True):
        assert torch.equal(ours, theirs), name


@pytest.mark.parametrize("method", ["lora", "full"])
def test_weights_of_another_shape_of_model_are_refused(
    config_values: dict[str, Any], tmp_path: Path, method: str
) -> None:
    from safetensors.torch import load_file, save_file

    model = _loaded(config_values, method=method)
    models.save_trainable(model, tmp_path, method)
    file = tmp_path / models.WEIGHT_FILES[method][0]
    state = load_file(file)
    lost = sorted(name for name in state if "layers.1" in name)[0]
    state["stranger"] = state.pop(lost)
    save_file(state, file)
    with pytest.raises(TrainerError, match="lack 1 tensors") as raised:
        models.load_trainable_weights(model, tmp_path, method)
    assert raised.value.code == "CHECKPOINT_INVALID"


def test_a_method_that_cannot_run_here_names_its_field(
    config_values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainerError, match="this machine has no GPU") as raised:
        attention.choose("flash", CPU, "bf16")
    assert (raised.value.code, raised.value.field) == ("RECIPE_INVALID", "attention")
    assert attention.choose("auto", CPU, "bf16") == "sdpa"
    assert attention.choose("eager", CPU, "fp32") == "eager"
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(TrainerError, match="needs the package bitsandbytes") as raised:
        _loaded(config_values, method="qlora")
    assert (raised.value.code, raised.value.field) == ("RECIPE_INVALID", "method")


def test_a_base_that_is_quantised_already_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    values = json.loads((tiny_model / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**values, "quantization_config": {"quant_method": "awq"}}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(TrainerError, match="quantised already") as raised:
        models.require_model_folder(tmp_path)
    assert (raised.value.code, raised.value.field) == ("RECIPE_INVALID", "modelDir")


def test_operations_per_token_follow_what_is_trained(config_values: dict[str, Any]) -> None:
    """The tiny model by hand: the embedding is the output layer too, so its 25,600 weights count."""
    layers = 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128)
    norms = 5 * 64
    attention_part = 6 * 2 * 64 * 100
    full = _loaded(config_values, method="full")
    assert flops.flops_per_token(full, "full", 100) == 6 * (layers + norms + 400 * 64) + attention_part
    adapter = 2 * 4 * (2 * (64 + 64) + 2 * (64 + 32) + 3 * (64 + 128))
    for method in ("lora", "qlora"):
        model = _loaded(config_values, method=method)
        expected = 4 * (layers + norms + 400 * 64) + 6 * adapter + attention_part
        assert flops.flops_per_token(model, method, 100) == expected


@pytest.mark.parametrize(
    ("name", "tera"),
    [
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756.5),
        ("NVIDIA H100 NVL", 835.5),
        ("NVIDIA H200", 989.4),
        ("NVIDIA GH200 480GB", 989.4),
        ("NVIDIA L4", 121.0),
        ("NVIDIA L40S", 362.05),
        ("NVIDIA A10G", 70.0),
        ("NVIDIA A10", 125.0),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("NVIDIA B200", 2250.0),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", None),
        ("Tesla T4", None),
        (None, None),
    ],
)
def test_the_peak_is_the_vendors_or_unknown(name: str | None, tera: float | None) -> None:
    assert flops.peak_bf16_flops(name) == (None if tera is None else tera * 1e12)


def _with_targets(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**values, "lora": {**values["lora"], "targetModules": [*names, "q_proj"]}}


def test_an_adapter_on_one_end_of_tied_embeddings_is_refused_before_anything_is_trained(
    config_values: dict[str, Any],
) -> None:
    for name in ("embed_tokens", "lm_head"):
        with pytest.raises(TrainerError, match="one matrix") as raised:
            _train(_with_targets(config_values, name))
        assert (raised.value.code, raised.value.field) == ("RECIPE_INVALID", "lora.targetModules")


def test_an_adapter_on_embeddings_of_their_own_resumes_to_the_bit(
    config_values: dict[str, Any], tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "untied"
    model = AutoModelForCausalLM.from_pretrained(tiny_model, tie_word_embeddings=False)
    model.save_pretrained(folder)
    models.load_tokenizer(tiny_model).save_pretrained(folder)
    values = {
        **_with_targets(config_values, "embed_tokens", "lm_head"),
        "modelDir": str(folder),
        "maxSteps": 4,
        "checkpointEverySteps": 2,
    }
    events = _train(values)
    resume = str(Path(values["outputDir"]) / "checkpoints" / "step-00000002")
    resumed = _train({**values, "resumeFrom": resume, "outputDir": str(tmp_path / "resumed")})
    assert _losses(resumed) == {step: loss for step, loss in _losses(events).items() if step > 2}
    weights = [Path(each[-1]["adapterDir"]) / "adapter_model.safetensors" for each in (events, resumed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_one_step_trains_though_a_warm_up_begins_at_nothing(config_values: dict[str, Any], tmp_path: Path) -> None:
    finished = _train({**config_values, "maxSteps": 1, "warmupShare": 0.1})[-1]
    assert finished["logitsMaxAbsDiff"] > 0
    # Of two steps the first has a rate of 0: stopped there, nothing is trained.
    values = {**config_values, "maxSteps": 2, "checkpointEverySteps": 1, "outputDir": str(tmp_path / "two")}
    _train(values)
    resume = str(tmp_path / "two" / "checkpoints" / "step-00000001")
    with pytest.raises(TrainerError) as raised:
        _train({**values, "resumeFrom": resume, "exportOnly": True, "outputDir": str(tmp_path / "early")})
    assert raised.value.code == "NOTHING_TRAINED"
