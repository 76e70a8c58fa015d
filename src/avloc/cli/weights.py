"""`avloc weights`: weights of the paper's encoders, which users bring; checked, converted once, listed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from avloc.cli.console import screen_console
from avloc.errors import AvlocError, one_line
from avloc.features.extractors.base import Resources
from avloc.features.extractors.brought import needed_by, require_torch
from avloc.features.extractors.build import BROUGHT
from avloc.features.extractors.weights import KINDS, find_record, kind_of, weights_folder, weights_path

_MOST_SHOWN = 3


def weights(
    action: Annotated[Literal["add", "list"], tyro.conf.Positional],
    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]")] = None,
    file: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[FILE]")] = None,
    weights: Path | None = None,
    any_size: bool = False,
    any_sum: bool = False,
) -> int:
    """Add or list weights of the encoders that made the paper's features: I3D, RAFT, VGGish, ONE-PEACE.

    Nothing is downloaded: fetch the publishers' files yourself, under their licences. `add` opens tensors alone,
    holds every name and size against the network, compares the SHA-256 where its publishers state one, and keeps the
    weights as safetensors in the user's cache folder, in that of AVLOC_WEIGHTS, or in --weights.

    examples:
      avloc weights list
      avloc weights add vggish vggish-10086976.pth
      avloc weights add i3d-rgb i3d_rgb.pt
      avloc weights add onepeace-video onepeace_video_k400.pth --weights /big/disk/weights

    Args:
        action: add or list.
        name: Kind of weights, as list names it.
        file: The publishers' file.
        weights: Folder to keep them in.
        any_size: Take a network of the same make in other sizes too, such as one of your own.
        any_sum: Take a file of another SHA-256 than its publishers state.
    """
    if action == "list":
        if name or file:
            raise AvlocError("avloc weights list takes no name and no file")
        return _list(weights)
    if name is None or file is None:
        raise AvlocError("avloc weights add needs a kind and a file: avloc weights add vggish vggish-10086976.pth")
    return _add(name, file, weights, any_size, any_sum)


def _add(name: str, file: Path, folder: Path | None, any_size: bool, any_sum: bool) -> int:
    kind = kind_of(name)
    require_torch("avloc weights add")
    from avloc.features.extractors.pretrained.adding import add_weights

    record, left = add_weights(name, file, folder, any_size=any_size, any_sum=any_sum)
    sizes = "" if record.official else ", not of the published sizes"
    size = f"{record.parameters / 1e6:.2f} M parameters{sizes}"
    print(f"{one_line(str(weights_path(name, folder)))}: {kind.what}; {size}, every name and size as needed")
    stated = "for which no sum is stated"
    if kind.sum_start:
        fits = record.source_sha256.startswith(kind.sum_start)
        stated = f"{'as' if fits else 'not as'} its publishers state ({kind.sum_start}...)"
    print(f"{one_line(str(file))}: SHA-256 {record.source_sha256}, {stated}")
    if left:
        more = f" and {len(left) - _MOST_SHOWN} more" if len(left) > _MOST_SHOWN else ""
        print(f"left out {len(left)} tensors that features do not need: {', '.join(left[:_MOST_SHOWN])}{more}")
    print(f"licence {kind.licence}; please cite {kind.citation}")
    return 0


def _list(folder: Path | None) -> int:
    screen = screen_console()
    screen.print(f"{weights_folder(folder)}:", markup=False, soft_wrap=True)
    for kind in KINDS:
        record = find_record(kind.name, folder)
        kept = "not there" if record is None else f"{record.short}, {record.parameters / 1e6:.1f} M parameters"
        screen.print(f"{kind.name}: {kept}", style="bold" if record else None, markup=False, soft_wrap=True)
        screen.print(f"  {kind.what}: {kind.file} of {kind.project}", markup=False, soft_wrap=True)
        screen.print(f"  {kind.licence}; {kind.citation}", markup=False, soft_wrap=True)
    for name, make in BROUGHT.items():
        needed = needed_by(make(Resources(weights=folder)))
        missing = [kind for kind, there in needed if not there]
        state = "ready" if not missing else f"lacks {', '.join(missing)}"
        screen.print(f"--features {name}: {state}", markup=False, soft_wrap=True)
    return 0
