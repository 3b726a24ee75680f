"""Refusing early what cannot fit: a memory estimate against what the machine has."""

from __future__ import annotations

import torch

from ..errors import TrainerError
from . import attention, models
from .available import available_bytes
from .config import TrainConfig
from .parameters import ParameterCounts, parameter_counts

# Imports, allocator slack and temporary buffers; measured at about this with torch and transformers loaded.
RUNTIME_BYTES = 900 * 2**20
# A 4-bit weight with one fp32 scale for 64 of them, or (double) an 8-bit scale and an fp32 one for 256 scales:
# Dettmers et al. 2023, arXiv:2305.14314, section 3.
QUANTISED_BYTES = {False: 0.5 + 4 / 64, True: 0.5 + 1 / 64 + 4 / (64 * 256)}
# fp32 value, gradient and two moments of Adam.
TRAINED_BYTES = 16
# What an allocator holds beyond what is in use at the peak. On the CPU, the C library's heap kept 1.6 to 2.5 times what
# the same trainings took with each tensor mapped for itself; of the GPU's caching allocator a tenth is assumed.
ALLOCATOR_FACTOR = {"cpu": 1.7, "cuda": 1.1}


def weight_bytes(counts: ParameterCounts, config: TrainConfig, precision: str) -> float:
    """Bytes of weights, gradients and optimiser."""
    computed = models.torch_dtype(precision).itemsize
    # Under autocast, each trained fp32 weight has a copy to compute with until the step ends.
    trained = TRAINED_BYTES + (computed if precision == "bf16" else 0)
    quantised = counts.quantised * QUANTISED_BYTES[config.quantization.double]
    return counts.trainable * trained + (counts.frozen - counts.quantised) * computed + quantised


def activation_bytes(
    counts: ParameterCounts, config: TrainConfig, precision: str, implementation: str, row_tokens: int
) -> float:
    """Bytes that a forward pass over a micro-batch keeps for the backward pass, at its highest.

    Per token and layer, with c bytes a number: 28 + 3c bytes for each hidden width and 4c for each feed-forward width,
    and where adapters drop out 8 + 8c and 4 more, which is what autograd saves in a Llama (counted through its hooks);
    when recomputed, one hidden vector, and a single layer's worth. A layer's worth more for the gradients inside the
    one at work, and three copies of the fp32 logits (value, softmax, gradient). Eager attention keeps each head's
    square of weights, in fp32 and in the model's precision, and works with two more; sdpa holds one mask for all;
    flash attention has nothing quadratic.
    """
    model_config = counts.model_config.get_text_config()
    computed = models.torch_dtype(precision).itemsize
    hidden, layers = model_config.hidden_size, model_config.num_hidden_layers
    feed_forward = getattr(model_config, "intermediate_size", None) or 4 * hidden
    drops_out = config.method != "full" and config.lora.dropout > 0
    per_layer = hidden * (28 + 3 * computed) + feed_forward * 4 * computed
    if drops_out:
        per_layer += hidden * (8 + 8 * computed) + feed_forward * 4
    kept_layers = 1 if config.gradient_checkpointing else layers
    per_token = (kept_layers + 1) * per_layer + 3 * 4 * model_config.vocab_size
    if config.gradient_checkpointing:
        per_token += layers * hidden * computed
    # A 4-bit layer is unpacked to compute with it, once in each direction.
    unpacked = 2 * hidden * feed_forward * computed if config.method == "qlora" else 0
    # Packed rows lie in one row.
    rows = 1 if config.packing else config.micro_batch_rows
    tokens = config.micro_batch_rows * row_tokens // rows
    square = rows * tokens * tokens
    if implementation == "eager":
        quadratic = square * model_config.num_attention_heads * (kept_layers * (4 + computed) + 2 * 4)
    else:
        quadratic = square if implementation == "sdpa" else 0
    return rows * tokens * per_token + quadratic + unpacked


def estimate_bytes(
    counts: ParameterCounts,
    config: TrainConfig,
    precision: str,
    implementation: str,
    row_tokens: int,
    device: torch.device,
) -> int:
    """Peak bytes of a training step on rows of `row_tokens` (packed: sequences)."""
    activations = activation_bytes(counts, config, precision, implementation, row_tokens)
    held = activations * ALLOCATOR_FACTOR[device.type]
    return round(RUNTIME_BYTES + weight_bytes(counts, config, precision) + held)


def require_training_memory(config: TrainConfig, precision: str, device: torch.device, longest_tokens: int) -> None:
    """Raises `RESOURCES_INSUFFICIENT` when the training, or the export after it, needs more than is free."""
    counts = parameter_counts(config)
    implementation = attention.choose(config.attention, device, precision)
    row_tokens = config.max_sequence_tokens if config.packing else longest_tokens
    needed = estimate_bytes(counts, config, precision, implementation, row_tokens, device)
    require_memory("training", needed, available_bytes(device))
    if config.method != "full":
        # The adapter is merged into the unquantised model, on the GPU or on the host.
        merged = round((counts.frozen + counts.trainable) * models.torch_dtype(precision).itemsize)
        require_memory("export", merged, max(available_bytes(device), available_bytes(torch.device("cpu"))))


def require_memory(part: str, needed: int, available: int) -> None:
    """Raises `RESOURCES_INSUFFICIENT` when the estimate is above what is free."""
    if needed <= available:
        return
    gib = 2**30
    raise TrainerError(
        "RESOURCES_INSUFFICIENT",
        f"The {part} needs about {needed / gib:.1f} GiB of memory; {available / gib:.1f} GiB are free.",
        "Lower microBatchRows or maxSequenceTokens, turn gradientCheckpointing on, or use a larger machine.",
        details={"estimateBytes": needed, "availableBytes": available},
    )
