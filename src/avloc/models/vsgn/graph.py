"""Cross-scale graph pyramid: levels of graph layers, each half as long, and back up from the coarsest to the finest.

Zhao, Thabet and Ghanem 2021, Section 3.3 (xGPN).
Legend: B batch, T steps of a level (Th of the next), C channels, N neighbours of a step.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from avloc.config import VsgnConfig
from avloc.models.vsgn.stitching import Clips, take_rows

_EQUAL = 2.0**-16  # of the mean squared length of features: squared distances that differ by less are equal


@torch.no_grad()
def nearest(
    x: Float[Tensor, "B T C"], count: int, magnified: Bool[Tensor, "B T"] | None = None
) -> Int[Tensor, "B T N"]:
    """The steps of the nearest features to each step's, by squared distance, itself among them.

    Where some steps are of a magnified copy, half the neighbours are the nearest anywhere and the others cross the
    scales: between two magnified steps is more than any other distance (the farther the more, so that a choice is
    left where a clip has too few steps of its own).

    A copy is drawn out linearly, so that the steps before and behind are often equally far: of these the earlier is
    taken, whatever rounding says of them.
    """
    exact = x.double()
    square = exact.square().sum(dim=2)
    # |x|^2 + |y|^2 - 2 x y without |x|^2, which orders nothing.
    distance = torch.baddbmm(square[:, None], exact, exact.transpose(1, 2), alpha=-2)
    step = torch.arange(x.shape[1], device=x.device)
    distance = distance + (step > step[:, None]) * (_EQUAL * square.mean(dim=1))[:, None, None]
    if magnified is None:
        return distance.topk(count, largest=False).indices
    anywhere = distance.topk(count // 2, largest=False).indices
    span = distance.amax(dim=(1, 2), keepdim=True) - distance.amin(dim=(1, 2), keepdim=True) + 1
    distance = torch.where(magnified[:, :, None] & magnified[:, None], distance + span, distance)
    distance = distance.scatter(2, anywhere, torch.inf)
    across = distance.topk(count - count // 2, largest=False).indices
    return torch.cat([anywhere, across], dim=2)


class Messages(nn.Module):
    """What each step hears: of the messages of its neighbours the largest, channel by channel.

    A message is one linear layer of neighbour and listener side by side. It is a sum of two layers, one of each, so
    that the neighbours' part is multiplied once a step instead of once a pair and the listener's part, the same for
    all neighbours, is added behind the maximum.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.message = nn.Linear(2 * width, width)

    def neighbours(self, x: Float[Tensor, "B T C"], magnified: Bool[Tensor, "B T"] | None) -> Int[Tensor, "B T N"]:
        """Whom each step listens to."""
        return nearest(x, self.count, magnified)

    def forward(self, x: Float[Tensor, "B T C"], magnified: Bool[Tensor, "B T"] | None) -> Float[Tensor, "B T C"]:
        of_neighbour, of_listener = self.message.weight.chunk(2, dim=1)
        said = F.linear(x, of_neighbour)
        return _largest(said, self.neighbours(x, magnified)) + F.linear(x, of_listener, self.message.bias)


def _largest(said: Float[Tensor, "B T C"], neighbours: Int[Tensor, "B T N"]) -> Float[Tensor, "B T C"]:
    """The largest of what the neighbours say; who said it is found first, so that no gradient keeps all of it."""
    with torch.no_grad():
        heard = take_rows(said, neighbours.flatten(1)).reshape(*neighbours.shape, -1)  # (B, T, N, C)
        speaker = neighbours.gather(2, heard.argmax(dim=2))  # (B, T, C)
    return said.gather(1, speaker)


class GraphLayer(nn.Module):
    """Neighbours in time beside neighbours in features (xGN), then the maximum of every two steps."""

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.conv = nn.Conv1d(config.width, config.width, 3, padding=1)
        self.graph = Messages(config.width, config.neighbours)

    def forward(self, x: Float[Tensor, "B C T"], magnified: Bool[Tensor, "B T"] | None) -> Float[Tensor, "B C Th"]:
        heard = self.graph(x.transpose(1, 2), magnified).transpose(1, 2)
        return F.max_pool1d(torch.relu(self.conv(x) + heard), 2)


class PlainLayer(nn.Module):
    """What stands in for a graph layer where there are none."""

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.conv = nn.Conv1d(config.width, config.width, 3, stride=2, padding=1)

    def forward(self, x: Float[Tensor, "B C T"], magnified: Bool[Tensor, "B T"] | None) -> Float[Tensor, "B C Th"]:
        """As GraphLayer."""
        return torch.relu(self.conv(x))


class Encoder(nn.Module):
    """Levels of half the length each, finest first."""

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.stem_stride = config.stem_stride
        layer = GraphLayer if config.graph else PlainLayer
        self.layers = nn.ModuleList(layer(config) for _ in range(config.levels))

    def forward(self, x: Float[Tensor, "B C T"], clips: Clips | None) -> list[Float[Tensor, "B C Th"]]:
        """`clips` of which some may be stitched; None where none can be."""
        levels, stride = [], self.stem_stride
        for layer in self.layers:
            x = layer(x, None if clips is None else clips.magnified(x.shape[2], stride))
            levels.append(x)
            stride *= 2
        return levels


class Decoder(nn.Module):
    """From the coarsest level back to the finest, each with what the encoder had there."""

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        width, levels = config.width, config.levels

        def convs(count: int) -> nn.ModuleList:
            return nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(count))

        self.lateral = convs(levels - 1)
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(width, width, 3, stride=2, padding=1, output_padding=1) for _ in range(levels - 1)
        )
        self.smooth = convs(levels)

    def forward(self, levels: list[Float[Tensor, "B C Th"]]) -> list[Float[Tensor, "B C Th"]]:
        """Finest first, as they are given; the layers are in order from the coarsest."""
        coarsest, *finer = reversed(levels)
        x = torch.relu(self.smooth[0](coarsest))
        decoded = [x]
        for level, lateral, up, smooth in zip(finer, self.lateral, self.up, self.smooth[1:], strict=True):
            x = torch.relu(smooth(torch.relu(lateral(level)) + torch.relu(up(x))))
            decoded.append(x)
        return decoded[::-1]
