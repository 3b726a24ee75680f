"""Drawing the next token: temperature and nucleus, one uniform number per row."""

from __future__ import annotations

import torch

BLOCK = 256
# A nucleus almost always lies within the most probable tokens; only if not, everything is sorted.
NUCLEUS_CANDIDATES = 1024


def nucleus(probabilities: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Zeroes what lies outside the smallest set of most probable tokens whose mass reaches `top_p` (`[rows, 1]`).

    Same rule as in Holtzman et al. 2020 (arXiv 1904.09751): the token that crosses the threshold stays in.
    The result is not normalised.
    """
    candidates = min(NUCLEUS_CANDIDATES, probabilities.shape[-1])
    values, indices = probabilities.topk(candidates, dim=-1)
    if bool((values.sum(-1, keepdim=True) < top_p).any()):
        values, indices = probabilities.sort(dim=-1, descending=True)
    mass_before = values.cumsum(-1) - values
    kept = values.masked_fill(mass_before >= top_p, 0.0)
    return torch.zeros_like(probabilities).scatter_(-1, indices, kept)


def draw(weights: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Inverse-CDF sampling from unnormalised `weights [rows, tokens]` with `uniform [rows]` in [0, 1).

    Two levels (blocks, then inside a block) in double precision: one number per row instead of one per token, and
    rare tokens keep their weight.
    """
    rows, tokens = weights.shape
    padded = torch.nn.functional.pad(weights, (0, -tokens % BLOCK)).view(rows, -1, BLOCK)
    block_mass = padded.sum(-1, dtype=torch.float64).cumsum(-1)
    target = uniform.to(torch.float64) * block_mass[:, -1]
    block = torch.searchsorted(block_mass, target[:, None], right=True).squeeze(1).clamp(max=block_mass.shape[1] - 1)
    row = torch.arange(rows, device=weights.device)
    before = torch.where(block > 0, block_mass[row, (block - 1).clamp(min=0)], 0.0)
    inside = padded[row, block].to(torch.float64).cumsum(-1)
    # Rounding may put the target at the very end of the block, behind its last token of positive weight.
    rest = torch.minimum(target - before, inside[:, -1] * (1 - 1e-12))
    return block * BLOCK + torch.searchsorted(inside, rest[:, None], right=True).squeeze(1)


def next_tokens(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    """Next token of each row of `logits [rows, tokens]`; temperature 0 takes the most probable."""
    greedy = logits.argmax(-1)
    if not bool((temperature > 0).any()):
        return greedy
    scale = torch.where(temperature > 0, temperature, 1.0)[:, None]
    probabilities = torch.softmax(logits.float() / scale, dim=-1)
    if bool((top_p < 1).any()):
        narrow = (top_p < 1) & (temperature > 0)
        probabilities[narrow] = nucleus(probabilities[narrow], top_p[narrow, None])
    return torch.where(temperature > 0, draw(probabilities, uniform), greedy)
