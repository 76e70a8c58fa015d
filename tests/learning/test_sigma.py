"""Where the learnable sigma goes when the features stand still (docs/training.md tells it in words)."""

import pytest
import torch

from avloc.config import LccConfig
from avloc.learning.correspondence import correspondence_loss
from avloc.models.loco.lcc import Correspondence, CorrespondenceHead

LOW, HIGH = LccConfig().sigma_range_steps


def features(correlated: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Two videos of 48 steps: both modalities follow one slow path, or have nothing to do with one another."""
    generator = torch.Generator().manual_seed(0)
    v, a = torch.randn(2, 2, 48, 16, generator=generator)
    if correlated:
        kernel = torch.exp(-(torch.arange(-12.0, 13.0) ** 2) / (2 * 3.0**2))
        path = torch.nn.functional.conv1d(
            torch.randn(2, 16, 48 + 24, generator=generator), kernel.expand(16, 1, -1), groups=16
        ).transpose(1, 2)
        v, a = path + 0.1 * v, path + 0.1 * a
    return torch.nn.functional.normalize(v, dim=-1), torch.nn.functional.normalize(a, dim=-1)


def settled_sigma(correlated: bool, divergence: str) -> tuple[float, list[float]]:
    """Sigma after 400 steps of Adam on it alone, and its whole way."""
    config = LccConfig(divergence=divergence)  # type: ignore[arg-type]
    head = CorrespondenceHead(4, config)
    v, a = features(correlated)
    mask = torch.ones(2, 48, dtype=torch.bool)
    optimizer = torch.optim.Adam([head.log_sigma], lr=0.05)
    way = []
    for _ in range(400):
        optimizer.zero_grad()
        sigma = head.sigma_now()
        correspondence_loss(Correspondence(v, a, mask, torch.tensor(0.1), sigma), config).backward()
        optimizer.step()
        way.append(float(sigma.detach()))
    return way[-1], way


@pytest.mark.parametrize("divergence", ["cross-entropy", "kl"])
@pytest.mark.parametrize("correlated", [True, False])
def test_sigma_never_leaves_its_range(correlated: bool, divergence: str) -> None:
    _, way = settled_sigma(correlated, divergence)
    assert min(way) >= LOW - 1e-6 and max(way) <= HIGH + 1e-4


def test_cross_entropy_drives_sigma_to_the_diagonal_where_modalities_agree() -> None:
    sigma, _ = settled_sigma(True, "cross-entropy")
    assert sigma < 0.5


def test_kl_finds_the_width_of_the_correlation() -> None:
    correlated, _ = settled_sigma(True, "kl")
    uncorrelated, _ = settled_sigma(False, "kl")
    assert 0.6 < correlated < 3.0
    assert uncorrelated > 0.9 * HIGH
