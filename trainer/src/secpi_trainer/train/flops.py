"""Floating-point operations of training, and what a GPU could do at most."""

from __future__ import annotations

import re
from typing import Any

# Dense bf16 tensor-core peak in TFLOP/s, by a pattern of the name that the driver gives the GPU, most special first.
# From NVIDIA's data sheets and architecture papers, which often print figures with sparsity: twice these.
PEAK_BF16_TFLOPS: tuple[tuple[str, float], ...] = (
    (r"GB200", 2500.0),
    (r"B200", 2250.0),
    (r"GH200", 989.4),
    (r"H[12]00 NVL", 835.5),
    (r"H[18]00 PCIe", 756.5),
    (r"H200|H100|H800", 989.4),
    (r"H20\b", 148.0),
    (r"A100|A800", 312.0),
    (r"A40\b", 149.7),
    (r"A30\b", 165.0),
    (r"A10G\b", 70.0),
    (r"A10\b", 125.0),
    (r"L40S\b", 362.05),
    (r"L40\b", 181.05),
    (r"L4\b", 121.0),
    (r"RTX 6000 Ada", 364.2),
    (r"RTX A6000", 154.8),
    # Consumer cards halve the rate when they accumulate in fp32, which training does.
    (r"RTX 5090$", 209.5),
    (r"RTX 4090$", 165.2),
    (r"RTX 3090$", 71.0),
)


def peak_bf16_flops(gpu_name: str | None) -> float | None:
    """Dense bf16 operations per second that the vendor states for this GPU.

    Null for one that is not in the table, and for a slice of a GPU (MIG), which has a share of its peak only.
    """
    if gpu_name is None or " MIG " in f"{gpu_name} ":
        return None
    for pattern, tera in PEAK_BF16_TFLOPS:
        if re.search(rf"\b(?:{pattern})", gpu_name):
            return tera * 1e12
    return None


def model_flops_per_token(
    model_config: Any, trainable_parameters: int, frozen_parameters: int, method: str, tokens: float
) -> float:
    """Operations of forward and backward for one token of a row of `tokens`; recomputation does not count.

    A weight costs 2 operations a token forward, 2 backward for the gradient of its input and 2 for its own: 6 for a
    trained one, 4 for a frozen one under an adapter (Kaplan et al. 2020, arXiv:2001.08361, section 2.1). Attention
    costs 2 products of queries with keys and values, 4 * width a token pair and layer, three times with the backward
    pass, halved since no token looks ahead: 6 * layers * width * tokens (Chowdhery et al. 2022, arXiv:2204.02311,
    appendix B, which does not halve). The embedding's look-up costs nothing; give the parameters without it, but with
    the output layer, also where both are one matrix.
    """
    weights = 6 * trainable_parameters + (0 if method == "full" else 4) * frozen_parameters
    config = model_config.get_text_config()
    heads = config.num_attention_heads
    head_width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return float(weights + 6 * config.num_hidden_layers * heads * head_width * tokens)


def flops_per_token(model: Any, method: str, tokens: float) -> float:
    """`model_flops_per_token` of a loaded model whose rows hold `tokens` on average.

    Of a mixture of experts, only the experts that a token is sent to are counted.
    """
    config = model.config.get_text_config()
    active_share = 1.0
    experts = getattr(config, "num_experts", None) or getattr(config, "num_local_experts", None)
    if experts:
        active_share = config.num_experts_per_tok / experts
    embedding = model.get_input_embeddings().weight
    tied = model.get_output_embeddings() is not None and model.get_output_embeddings().weight is embedding
    trainable = frozen = 0.0
    for name, parameter in model.named_parameters():
        if parameter is embedding and not tied:
            continue
        # Four bits a weight: two weights lie in a byte.
        count = parameter.numel() * (2 if type(parameter).__name__ == "Params4bit" else 1)
        if ".experts." in name:
            count *= active_share
        if parameter.requires_grad:
            trainable += count
        else:
            frozen += count
    return model_flops_per_token(model.config, round(trainable), round(frozen), method, tokens)
