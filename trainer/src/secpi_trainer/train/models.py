"""Loading a model for training by one of the methods, and the weights of its checkpoints."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import save_torch_state_dict
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from ..errors import TrainerError
from . import attention
from .config import LoraSettings, QuantizationSettings, TrainConfig

ADAPTER_FILE = "adapter_model.safetensors"
FULL_FILE = "model.safetensors"
FULL_INDEX_FILE = "model.safetensors.index.json"
# Any one of these must lie in a checkpoint.
WEIGHT_FILES = {"lora": (ADAPTER_FILE,), "qlora": (ADAPTER_FILE,), "full": (FULL_FILE, FULL_INDEX_FILE)}
# Small enough for a single PUT to S3, the size that vLLM and the hub use too.
SHARD_BYTES = 5 * 10**9


def require_model_folder(folder: Path) -> None:
    """Raises `MODEL_NOT_FOUND` unless `folder` looks like a Hugging Face model, `RECIPE_INVALID` if it is quantised."""
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise TrainerError(
            "MODEL_NOT_FOUND",
            f"{folder.name or folder} is not a Hugging Face model folder: config.json and *.safetensors are expected.",
            "Point modelDir at a model folder, or make the small one with: python -m secpi_trainer prepare-model.",
            field="modelDir",
        )
    if "quantization_config" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
        raise TrainerError(
            "RECIPE_INVALID",
            f"modelDir: {folder.name} is quantised already, so a trained adapter cannot be merged into it exactly",
            'Give the model in bf16 or fp32; method "qlora" quantises it while training.',
            field="modelDir",
        )


def pick_device() -> torch.device:
    """The current GPU with its index, by which libraries compare devices, else the CPU."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def resolve_precision(requested: str, device: torch.device) -> str:
    """ "auto" is bf16 on a GPU that has it and fp32 elsewhere: on a CPU without matrix units bf16 is slower."""
    if requested != "auto":
        return requested
    has_units = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if has_units else "fp32"


def torch_dtype(precision: str) -> torch.dtype:
    return torch.bfloat16 if precision == "bf16" else torch.float32


def load_tokenizer(folder: Path) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.chat_template is None:
        raise TrainerError(
            "MODEL_NOT_FOUND",
            f"{folder.name} has no chat template, so a conversation cannot be rendered.",
            "Use an instruction-tuned model, or add chat_template.jinja to the folder.",
            field="modelDir",
        )
    return tokenizer


def load_base(folder: Path, dtype: torch.dtype, device: torch.device, implementation: str | None = None) -> Any:
    """The model as it is on disk, in `dtype`."""
    options = {} if implementation is None else {"attn_implementation": implementation}
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, device_map={"": device}, **options)


def _load_quantised(
    folder: Path, dtype: torch.dtype, device: torch.device, implementation: str, settings: QuantizationSettings
) -> Any:
    """The base in 4 bits, each linear layer but the output; computed with in `dtype`."""
    if find_spec("bitsandbytes") is None:
        raise TrainerError(
            "RECIPE_INVALID",
            'method: "qlora" needs the package bitsandbytes, which is not installed',
            'Install bitsandbytes where the trainer runs, or set method to "lora".',
            field="method",
        )
    from bitsandbytes.nn import Linear4bit

    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.type,
        bnb_4bit_use_double_quant=settings.double,
        bnb_4bit_compute_dtype=dtype,
    )
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        device_map={"": device},
        attn_implementation=implementation,
        quantization_config=quantization,
    )
    for module in model.modules():
        if isinstance(module, Linear4bit):
            # On CPUs with AVX512-BF16, the first evaluation would repack the weights in place: with rounded scales, and
            # in a layout through which no gradient flows.
            module.support_avx512bf16_for_cpu = False
    return model


def _lora_config(settings: LoraSettings) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        bias="none",
    )


def attach_adapter(base: Any, settings: LoraSettings, model_name: str) -> Any:
    """A fresh adapter in fp32. Its config names the model by `model_name`, not by a path of this machine."""
    try:
        model = get_peft_model(base, _lora_config(settings))
    except ValueError as error:
        raise TrainerError(
            "RECIPE_INVALID",
            f"lora.targetModules: {error}",
            'Name linear modules of the model, or use "all-linear".',
            field="lora.targetModules",
        ) from error
    _require_mergeable(model)
    model.peft_config["default"].base_model_name_or_path = model_name
    return model


def _require_mergeable(model: Any) -> None:
    """Raises `RECIPE_INVALID` for an adapter on one end of tied embeddings: merged, it would change the other too."""
    base = model.get_base_model()
    if not base.config.get_text_config().tie_word_embeddings:
        return
    ends = [end for end in (base.get_input_embeddings(), base.get_output_embeddings()) if hasattr(end, "base_layer")]
    if ends:
        raise TrainerError(
            "RECIPE_INVALID",
            "lora.targetModules: the model's input and output embeddings are one matrix; an adapter on one of them "
            "cannot be merged",
            'Leave embed_tokens and lm_head out, or use "all-linear".',
            field="lora.targetModules",
        )


def load_trainable(config: TrainConfig, precision: str, device: torch.device) -> Any:
    """The model with what `config.method` trains set to require gradients.

    lora: the base in `precision`, frozen, and a fresh fp32 adapter; qlora: the same on a 4-bit base; full: all weights
    as fp32 master weights, since bf16 ones would swallow small updates: the trainer computes under autocast.
    Seed before calling: the adapter's first weights are random.
    """
    implementation = attention.choose(config.attention, device, precision)
    if config.method == "full":
        base = load_base(config.model_dir, torch.float32, device, implementation).requires_grad_(True)
    elif config.method == "qlora":
        base = _load_quantised(config.model_dir, torch_dtype(precision), device, implementation, config.quantization)
    else:
        base = load_base(config.model_dir, torch_dtype(precision), device, implementation)
    return base if config.method == "full" else attach_adapter(base, config.lora, config.model_dir.name)


def trainable_parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def save_adapter(model: Any, folder: Path) -> None:
    """Adapter weights and config in peft's format, without the model card template peft adds.

    peft keeps the target modules as a set, whose order changes from process to process; sorted, equal adapters are
    equal files.
    """
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    config_file = folder / "adapter_config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    if isinstance(config["target_modules"], list):
        config["target_modules"] = sorted(config["target_modules"])
    config_file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def save_trainable(model: Any, folder: Path, method: str) -> None:
    """What `method` trains, bit for bit: the adapter in peft's format, or all weights under the module's own names."""
    if method != "full":
        save_adapter(model, folder)
        return
    save_torch_state_dict(model.state_dict(), folder, max_shard_size=SHARD_BYTES)


def load_trainable_weights(model: Any, folder: Path, method: str) -> None:
    """Puts the weights that `save_trainable` wrote into `model`; raises `CHECKPOINT_INVALID` when they do not fit."""
    if method == "full":
        missing, unexpected = _load_full(model, folder)
    else:
        # As save_adapter writes it: a base's own embeddings are never part of an adapter.
        expected = set(get_peft_model_state_dict(model, save_embedding_layers=False))
        state = load_file(folder / ADAPTER_FILE)
        missing, unexpected = expected - set(state), set(state) - expected
        if not missing and not unexpected:
            set_peft_model_state_dict(model, state)
    if missing or unexpected:
        raise TrainerError(
            "CHECKPOINT_INVALID",
            f"The weights of {folder.name} lack {len(missing)} tensors of this model and have {len(unexpected)} it "
            f"does not know: {', '.join(sorted(missing | unexpected)[:3])}.",
            "Resume from another checkpoint, or restore the recipe it was made with.",
            field="resumeFrom",
        )


def _load_full(model: Any, folder: Path) -> tuple[set[str], set[str]]:
    """One file in memory at a time; returns the names missing and left over."""
    index_file = folder / FULL_INDEX_FILE
    names = {FULL_FILE}
    if index_file.is_file():
        names = set(json.loads(index_file.read_text(encoding="utf-8"))["weight_map"].values())
    loaded: set[int] = set()
    unexpected: set[str] = set()
    for name in sorted(names):
        state = load_file(folder / name)
        unexpected.update(model.load_state_dict(state, strict=False).unexpected_keys)
        own = model.state_dict()
        loaded.update(own[key].data_ptr() for key in state if key in own)
    # Of matrices that are one in memory (tied embeddings), one name is written.
    missing = {key for key, tensor in model.state_dict().items() if tensor.data_ptr() not in loaded}
    return missing, unexpected
