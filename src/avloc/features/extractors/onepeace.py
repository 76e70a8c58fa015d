"""ONE-PEACE on pictures and on sound: the features of the paper's first table. Nothing is loaded before it is used.

16 frames a second, windows of 16, strides of 4 (Geng et al. 2024): a row every 0.25 s of one second, heard and seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avloc.features.extractors.brought import BroughtExtractor, Maker
from avloc.timegrid import TimeGrid

if TYPE_CHECKING:
    from avloc.features.extractors.pretrained.senses import Ears, Eyes

_AUDIO = Maker("onepeace-audio/1", ("onepeace-audio",))


@dataclass
class OnePeace(BroughtExtractor):
    """visual is the mean over a window of the Kinetics-400 network's class tokens, audio the audio branch's vector.

    Which layer the released features are of was never published; this is what its own recogniser and retrieval read.
    """

    name: ClassVar[str] = "onepeace"
    grid: ClassVar[TimeGrid] = TimeGrid(0.25, 1.0)
    fps: ClassVar[int] = 16
    window_frames: ClassVar[int] = 16
    makers: ClassVar[Mapping[str, Maker]] = {
        "visual": Maker("onepeace-video/1", ("onepeace-video",)),
        "audio": _AUDIO,
    }
    layouts: ClassVar[tuple[str, ...]] = ("onepeace", "onepeace-activitynet")

    def eyes(self) -> Eyes | None:
        """The Kinetics-400 network."""
        from avloc.features.extractors.pretrained.senses_onepeace import VideoEyes

        return VideoEyes(self.resources, self.window_frames)

    def ears(self) -> Ears | None:
        """The audio branch."""
        from avloc.features.extractors.pretrained.senses_onepeace import OnePeaceEars

        return OnePeaceEars(self.resources)


class OnePeaceImage(OnePeace):
    """As OnePeace, but visual is the image branch's vector of the picture in the middle of each window."""

    name: ClassVar[str] = "onepeace-image"
    makers: ClassVar[Mapping[str, Maker]] = {
        "visual": Maker("onepeace-image/1", ("onepeace-image",)),
        "audio": _AUDIO,
    }
    layouts: ClassVar[tuple[str, ...]] = ()

    def eyes(self) -> Eyes | None:
        """The image branch."""
        from avloc.features.extractors.pretrained.senses_onepeace import ImageEyes

        return ImageEyes(self.resources, self.window_frames // 2)
