"""Sampling follows the distribution it claims to follow."""

from __future__ import annotations

import torch

from secpi_trainer.serve.sampling import draw, next_tokens, nucleus


def test_draw_inverts_the_distribution_exactly() -> None:
    weights = torch.zeros(1, 600)
    weights[0, [3, 255, 256, 599]] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    for uniform, token in ((0.0, 3), (0.09, 3), (0.11, 255), (0.31, 256), (0.61, 599), (1 - 1e-12, 599)):
        assert draw(weights, torch.tensor([uniform], dtype=torch.float64)).item() == token


def test_sampled_frequencies_match_the_softmax() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 50, generator=generator) * 2
    rows = 200_000
    uniform = torch.rand(rows, generator=generator, dtype=torch.float64)
    temperature = torch.full((rows,), 0.7)
    drawn = next_tokens(logits.expand(rows, -1), temperature, torch.ones(rows), uniform)
    observed = torch.bincount(drawn, minlength=50) / rows
    expected = torch.softmax(logits[0] / 0.7, dim=-1)
    deviation = (expected * (1 - expected) / rows).sqrt()
    assert bool(((observed - expected).abs() <= 5 * deviation + 1e-6).all())


def test_nucleus_keeps_the_token_that_crosses_the_threshold() -> None:
    probabilities = torch.tensor([[0.5, 0.1, 0.25, 0.15]])
    assert nucleus(probabilities, torch.tensor([[0.6]])).tolist() == [[0.5, 0.0, 0.25, 0.0]]
    assert nucleus(probabilities, torch.tensor([[0.1]])).tolist() == [[0.5, 0.0, 0.0, 0.0]]


def test_nucleus_wider_than_the_candidates_is_still_exact() -> None:
    probabilities = torch.full((1, 4096), 1 / 4096)
    assert int((nucleus(probabilities, torch.tensor([[0.75]])) > 0).sum()) == 3072


def test_temperature_zero_is_greedy_beside_sampled_rows() -> None:
    logits = torch.tensor([[0.0, 5.0, 1.0], [0.0, 0.0, 0.0]])
    tokens = next_tokens(logits, torch.tensor([0.0, 1.0]), torch.ones(2), torch.tensor([0.99, 0.99]))
    assert tokens.tolist() == [1, 2]
