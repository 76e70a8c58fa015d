"""What every network of this package says of itself."""

from __future__ import annotations

from torch import nn


class PretrainedNetwork(nn.Module):
    """A network whose weights others trained.

    width is that of its features; published tells whether it has the sizes of the published weights.
    """

    width: int
    published: bool = True
