"""I3D on pictures and on flow, VGGish on sound: UnAV-100's first features. Nothing is loaded before it is used.

25 frames a second, windows of 24, strides of 8 (Geng et al. 2023): a row every 0.32 s of 0.96 s. Flow is of the
window's frames and the one behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avloc.errors import MediaError
from avloc.features.extractors.brought import BroughtExtractor, Maker
from avloc.features.extractors.weights import Record
from avloc.media.probe import MediaInfo
from avloc.timegrid import TimeGrid

if TYPE_CHECKING:
    from avloc.features.extractors.pretrained.senses import Ears, Eyes

_I3D = Maker("i3d-raft/1", ("i3d-rgb", "i3d-flow", "raft"))
_VGGISH = Maker("vggish/1", ("vggish",))
_PCA = Maker("vggish-pca/1", ("vggish", "vggish-pca"))


@dataclass
class I3dVggish(BroughtExtractor):
    """visual is RGB 1024 and flow 1024, audio is VGGish's 128 as its last layer gives them."""

    name: ClassVar[str] = "i3d-vggish"
    grid: ClassVar[TimeGrid] = TimeGrid(0.32, 0.96)
    fps: ClassVar[int] = 25
    window_frames: ClassVar[int] = 25
    makers: ClassVar[Mapping[str, Maker]] = {"visual": _I3D, "audio": _VGGISH}
    layouts: ClassVar[tuple[str, ...]] = ("i3d-vggish",)

    def width(self, stream: str, records: tuple[Record, ...]) -> int:
        """Both of I3D's networks make the visual stream."""
        return records[0].width + records[1].width if stream == "visual" else records[0].width

    def eyes(self) -> Eyes | None:
        """I3D twice, and RAFT."""
        from avloc.features.extractors.pretrained.senses_i3d import I3dEyes

        return I3dEyes(self.resources)

    def ears(self) -> Ears | None:
        """VGGish."""
        from avloc.features.extractors.pretrained.senses_i3d import VggishEars

        return VggishEars(self.resources, pca=self.makers["audio"] is _PCA)


class I3dVggishPca(I3dVggish):
    """As I3dVggish, the sound rotated and in 256 levels as AudioSet's released features are."""

    name: ClassVar[str] = "i3d-vggish-pca"
    makers: ClassVar[Mapping[str, Maker]] = {"visual": _I3D, "audio": _PCA}
    layouts: ClassVar[tuple[str, ...]] = ()


class Vggish(I3dVggish):
    """Sound alone, a row every 0.96 s as the original has it; any other whole number of hundredths will do."""

    name: ClassVar[str] = "vggish"
    grid: ClassVar[TimeGrid] = TimeGrid(0.96, 0.96)
    fps: ClassVar[int] = 0
    makers: ClassVar[Mapping[str, Maker]] = {"audio": _VGGISH}
    layouts: ClassVar[tuple[str, ...]] = ()

    def eyes(self) -> Eyes | None:
        """Nothing is seen."""
        return None

    def _require_tracks(self, info: MediaInfo) -> None:
        if info.audio is None:
            raise MediaError(f"{info.path}: has no sound; give a file with sound")


class VggishPca(Vggish):
    """As Vggish, rotated and in 256 levels."""

    name: ClassVar[str] = "vggish-pca"
    makers: ClassVar[Mapping[str, Maker]] = {"audio": _PCA}
