"""An official checkpoint > weights in the user's folder: sum compared, names and sizes checked, converted once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from avloc.checkpoints import read_checkpoint
from avloc.errors import FeatureError, ModelError, OutputError
from avloc.features.extractors.pretrained.networks import fit
from avloc.features.extractors.weights import HEADER, Kind, Record, kind_of, weights_folder, weights_path
from avloc.files import file_hash, make_folder, replacing

_HUB = re.compile(r"-([0-9a-f]{8,})\.\w+$")
"""Files of torch's hub carry the first digits of their sum in their names."""


def add_weights(
    name: str, file: Path, folder: Path | None = None, *, any_size: bool = False, any_sum: bool = False
) -> tuple[Record, tuple[str, ...]]:
    """Check and convert a checkpoint; the names of its tensors that are left out are given back.

    any_size: a network of the same make in other sizes is taken too. any_sum: so is a file of another sum than its
    publishers state.

    Raises:
        FeatureError: there is no such kind, the file has another sum, or does not fit the network.
        ModelError: the file cannot be read as a checkpoint of tensors alone.
        OutputError: the folder cannot be written to.
    """
    kind = kind_of(name)
    try:
        digest = file_hash(file)
    except OSError as error:
        raise ModelError(f"{file}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    if not any_sum:
        _require_sum(kind, file, digest)
    fitted = fit(name, read_checkpoint(file), str(file))
    if not fitted.network.published and not any_size:
        raise FeatureError(
            f"{file}: is a network of {name}'s make in other sizes than the published one; --any-size takes it"
        )
    tensors = {key: _plain(fitted.state[key], f"{file}: {key}") for key in sorted(fitted.state)}
    count = sum(tensor.numel() for tensor in tensors.values())
    record = Record(name, file.name, digest, _sum_of(tensors), count, fitted.network.width, fitted.network.published)
    make_folder(weights_folder(folder))
    path = weights_path(name, folder)
    try:
        with replacing(path) as temporary:
            save_file(tensors, temporary, {HEADER: json.dumps(asdict(record))})
    except SafetensorError as error:  # of a full disk
        raise OutputError(f"{path}: cannot be written ({error}); make room, or name another --weights") from None
    return record, fitted.left


def _require_sum(kind: Kind, file: Path, digest: str) -> None:
    named = _HUB.search(file.name)
    stated = kind.sum_start or (named[1] if named else "")
    if not digest.startswith(stated):
        raise FeatureError(
            f"{file}: its SHA-256 begins with {digest[: len(stated)]}, that of {kind.file} with {stated}: it is cut "
            "off, changed, or another file; fetch it anew, or take it as it is with --any-sum"
        )


def _plain(tensor: Tensor, where: str) -> Tensor:
    """As safetensors takes it. Raises FeatureError where a value is not finite."""
    if not torch.isfinite(tensor).all():
        raise FeatureError(f"{where} holds values that are not finite; fetch the file anew")
    own = tensor.detach().contiguous()
    return own if own.untyped_storage().nbytes() == own.nbytes else own.clone()


def _sum_of(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, sizes and values, in the order of names."""
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
