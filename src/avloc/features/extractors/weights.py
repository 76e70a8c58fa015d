"""Weights that users bring: which there are, where to get them, where they are kept, and what is kept of each.

`avloc weights add` checks and converts a file (`avloc.features.extractors.pretrained.adding`); nothing is fetched.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from avloc.errors import FeatureError

FOLDER_VARIABLE = "AVLOC_WEIGHTS"
HEADER = "avloc-weights/1"
_DIGITS = 8  # of a sum that are shown, and stand in identities


@dataclass(frozen=True, slots=True)
class Kind:
    """One network's weights, as their publishers have them.

    sum_start: how the SHA-256 of the publisher's file begins, where it is stated (torch's hub puts the first digits
    into the name); "" where none is.
    """

    name: str
    what: str
    file: str
    project: str
    licence: str
    citation: str
    sum_start: str = ""


_ONEPEACE = "Wang et al., ONE-PEACE: Exploring One General Representation Model Toward Unlimited Modalities, 2023"
_I3D = "Carreira and Zisserman, Quo Vadis, Action Recognition?, CVPR 2017"
_VGGISH = "Hershey et al., CNN Architectures for Large-Scale Audio Classification, ICASSP 2017"

KINDS = (
    Kind(
        "vggish", "VGGish, sound", "vggish-10086976.pth", "harritaylor/torchvggish, release v0.1",
        "Apache-2.0", _VGGISH, "10086976",
    ),
    Kind(
        "vggish-pca", "VGGish, the rotation and levels of AudioSet's features", "vggish_pca_params-970ea276.pth",
        "harritaylor/torchvggish, release v0.1", "Apache-2.0", _VGGISH, "970ea276",
    ),
    Kind(
        "i3d-rgb", "I3D on pictures, Kinetics-400", "i3d_rgb.pt",
        "v-iashin/video_features, models/i3d/checkpoints (from hassony2/kinetics_i3d_pytorch)", "Apache-2.0", _I3D,
    ),
    Kind(
        "i3d-flow", "I3D on optical flow, Kinetics-400", "i3d_flow.pt",
        "v-iashin/video_features, models/i3d/checkpoints (from hassony2/kinetics_i3d_pytorch)", "Apache-2.0", _I3D,
    ),
    Kind(
        "raft", "RAFT, optical flow", "raft-sintel.pth", "princeton-vl/RAFT, models.zip", "BSD-3-Clause",
        "Teed and Deng, RAFT: Recurrent All-Pairs Field Transforms for Optical Flow, ECCV 2020",
    ),
    Kind(
        "onepeace-video", "ONE-PEACE's visual branch, Kinetics-400", "onepeace_video_k400.pth",
        "OFA-Sys/ONE-PEACE, checkpoints.md", "Apache-2.0", _ONEPEACE,
    ),
    Kind(
        "onepeace-audio", "ONE-PEACE's audio branch", "one-peace.pt or finetune_al_retrieval.pt",
        "OFA-Sys/ONE-PEACE, checkpoints.md", "Apache-2.0", _ONEPEACE,
    ),
    Kind(
        "onepeace-image", "ONE-PEACE's image branch", "one-peace.pt or finetune_coco.pt",
        "OFA-Sys/ONE-PEACE, checkpoints.md", "Apache-2.0", _ONEPEACE,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a file that was added: its name and sum, the sum of its tensors, its size.

    tensors_sha256 does not depend on the file that held the tensors. width is that of its features, official whether
    the network has the published sizes.
    """

    name: str
    source: str
    source_sha256: str
    tensors_sha256: str
    parameters: int
    width: int
    official: bool

    @property
    def short(self) -> str:
        """By which features tell what made them."""
        return self.tensors_sha256[:_DIGITS]


def kind_of(name: str) -> Kind:
    """The kind of this name.

    Raises:
        FeatureError: there is none.
    """
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        names = [kind.name for kind in KINDS]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
        raise FeatureError(f"there are no weights {name!r}; {hint}")
    return found


def weights_folder(given: Path | None = None) -> Path:
    """The folder that is given, else that of the variable AVLOC_WEIGHTS, else the user's own for such things."""
    if given is not None:
        return given
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    return _cache() / "avloc" / "weights"


def weights_path(name: str, folder: Path | None = None) -> Path:
    """Where the converted weights of a kind lie."""
    return weights_folder(folder) / f"{name}.safetensors"


def find_record(name: str, folder: Path | None = None) -> Record | None:
    """What is kept of added weights; None where there are none.

    Raises:
        FeatureError: the file there is none that `avloc weights add` wrote.
    """
    path = weights_path(name, folder)
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as f:
            record = Record(**json.loads((f.metadata() or {})[HEADER]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
        raise FeatureError(
            f"{path}: are no weights that avloc converted; delete it and run `avloc weights add {name} FILE`"
        ) from None
    if record.name != name:
        raise FeatureError(f"{path}: holds {record.name}, not {name}; delete it and add {name} again")
    return record


def require_records(names: tuple[str, ...], folder: Path | None = None) -> tuple[Record, ...]:
    """Of several kinds.

    Raises:
        FeatureError: some are missing; which, and where to get them, is said.
    """
    found = {name: find_record(name, folder) for name in names}
    missing = [kind_of(name) for name, record in found.items() if record is None]
    if missing:
        needed = "; ".join(f"{kind.name} ({kind.file} of {kind.project})" for kind in missing)
        raise FeatureError(
            f"weights are missing in {weights_folder(folder)}: {needed}; fetch each, then "
            f"`avloc weights add {missing[0].name} FILE`"
        )
    return tuple(record for record in found.values() if record is not None)


def _cache() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
