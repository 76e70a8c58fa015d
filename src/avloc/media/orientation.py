"""How a stored picture is turned for display: the display matrix of phone videos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Orientation:
    """First mirrored left to right if `mirrored`, then turned clockwise by 0, 90, 180 or 270 degrees."""

    clockwise: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        return self.clockwise in (90, 270)

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn a picture (height, width, 3); 90 and 270 degrees swap its sides."""
        if self.mirrored:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(np.rot90(picture, -self.clockwise // 90))


UPRIGHT = Orientation()


def orientation_of(frame: VideoFrame) -> Orientation:
    """From the frame's display matrix, snapped to quarter turns; upright where there is none.

    The matrix maps a stored pixel (x, y) to (a x + c y, b x + d y), y downwards (ISO/IEC 14496-12, 8.3.2).
    """
    # Not frame.side_data: it ties the frame into a circle of references, and hundreds of decoded pictures would wait
    # for the garbage collector.
    matrix = SideDataContainer(frame).get(Type.DISPLAYMATRIX)  # type: ignore[call-arg]
    if not isinstance(matrix, Buffer):
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(matrix), "=i4")[:5].astype(float)
    mirrored = a * d - b * c < 0
    if mirrored:  # take the mirroring out: it came first, x -> -x
        a, b = -a, -b
    if a == b == 0:
        return UPRIGHT
    quarters = round(float(np.arctan2(b, a)) / (np.pi / 2)) % 4
    return Orientation(90 * quarters, bool(mirrored))
