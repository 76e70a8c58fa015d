"""Builds a media folder (pictures, sounds, manifest.json) from Debian packages, for composing labelled videos.

    python tools/build_media.py OUT [--cache CACHE]

Downloads the packages named in media_table.py with `apt-get download`, unpacks them into the cache (nothing is
installed), copies what the table names and writes the manifest. Sounds are cut to where the tagger hears their
class; one in which it never does is left out and listed. Needs, beside avloc: pip install Pillow zstandard
resvg_py, and pip install --no-deps tinysoundfont. The packages' licences are noted file by file in the manifest.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import wave
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from avloc.compose.library import SAMPLE_RATE
from avloc.features.extractors.onnx_encoder import read_classes
from avloc.features.extractors.yamnet import YamNet
from avloc.features.logmel import log_mel
from avloc.media.whole import read_sound
from media_table import ALIKE, AMBIENT, BACKGROUNDS, CLASSES, GCOMPRIS_LICENCES, PACKAGES, Rows
from qt_resource import unpack
from soundfont import play

SPLITS = {"t": "train", "v": "validation", "h": "test", "s": "sample"}
SIDE_PX = 640
UPPER = 0.4  # of a standing person: head and shoulders
PATCH, HOP = 96, 24  # log-mel frames of 10 ms
PAUSE_PATCHES = 8  # pauses of 2 s do not end a stretch
LONGEST_S = 30.0
Wave = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "avloc-media")
    given = parser.parse_args()
    builder = Builder(given.out, fetch(given.cache))
    for label, rows in CLASSES.items():
        builder.add(label, rows)
    for split, source in _lines(BACKGROUNDS):
        builder.picture("background", None, split, source)
    for split, source in _lines(AMBIENT):
        builder.sound("ambient", None, split, source, Rows(()))
    builder.finish()


def fetch(cache: Path) -> Path:
    """The folder with all packages unpacked, each under its short name; what is there already is kept."""
    cache.mkdir(parents=True, exist_ok=True)
    for short, (package, _, _) in PACKAGES.items():
        if not (cache / short).is_dir():
            if not list(cache.glob(f"{package}_*.deb")):
                subprocess.run(["apt-get", "download", package], cwd=cache, check=True)
            partial = cache / f"{short}.partial"
            subprocess.run(["dpkg", "-x", next(cache.glob(f"{package}_*.deb")), partial], check=True)
            if short == "gcompris":
                _unbundle(partial)
            partial.rename(cache / short)
    return cache


def _unbundle(folder: Path) -> None:
    for bundle in sorted(folder.glob("usr/share/gcompris-qt/rcc/*.rcc")):
        for name, content in unpack(bundle):
            target = folder / name
            if target.suffix in {".webp", ".svg", ".ogg", ".wav", ".png"} or target.name == "README":
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


@dataclass
class Builder:
    out: Path
    cache: Path
    entries: list[dict[str, object]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    tagger: YamNet = field(default_factory=lambda: YamNet(1))
    tags: tuple[str, ...] = field(default_factory=lambda: read_classes("yamnet_classes.txt"))

    def add(self, label: str, rows: Rows) -> None:
        for split, source in _lines(rows.pictures):
            self.picture("picture", label, split, source)
        for split, source in _lines(rows.sounds):
            self.sound("sound", label, split, source, rows)

    def picture(self, kind: str, label: str | None, split: str, source: str) -> None:
        source, _, part = source.partition("#")
        image = _image(self._path(source))
        if part == "upper":
            left, top, right, bottom = image.getbbox() or (0, 0, *image.size)
            image = image.crop((left, top, right, top + round((bottom - top) * UPPER)))
        image.thumbnail((SIDE_PX, SIDE_PX))
        target = self._target(kind, label, source, ".png")
        image.save(target, "PNG")
        self._note(target, kind, label, split, source, {})

    def sound(self, kind: str, label: str | None, split: str, source: str, rows: Rows) -> None:
        sound = self._read(source)
        cut, heard = self._heard(sound, rows)
        if cut is None:
            self.left_out.append(f"{label}: {source} (tagger {heard:.2f})")
            return
        if source.startswith("soundfont:"):
            cut = slice(None)  # what is played is known; the tagger only judges whether it is convincing
        target = self._target(kind, label, source, ".wav")
        _write_wav(target, sound[cut])
        # Melodies of one instrument of the soundfont are alike, whatever their notes.
        group = {"group": source.split("/")[0]} if source.startswith("soundfont:") else {}
        self._note(target, kind, label, split, source, {"tagger_score": round(heard, 3), **group})

    def finish(self) -> None:
        manifest = {"alike": [list(group) for group in ALIKE], "left_out": self.left_out, "entries": self.entries}
        partial = self.out / "manifest.json.partial"
        partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(self.out / "manifest.json")
        counts = Counter((e["label"], e["kind"], e["split"]) for e in self.entries)
        both = [c for c in CLASSES if all(counts[c, k, "train"] for k in ("picture", "sound"))]
        for label in [*CLASSES, None]:
            kinds = ("picture", "sound") if label else ("background", "ambient")
            row = "   ".join(
                f"{kind}s {' + '.join(str(counts[label, kind, s]) for s in SPLITS.values())}" for kind in kinds
            )
            print(f"{'* ' if label in both else '  '}{label or 'surroundings':32} {row}")
        print(f"{len(both)} classes (*) with pictures and sounds to train on; columns: " + ", ".join(SPLITS.values()))
        print("left out:", *self.left_out, sep="\n  ")

    def _heard(self, sound: Wave, rows: Rows) -> tuple[slice | None, float]:
        """The stretch in which the tagger hears the class, and its best score; None if it does not."""
        if not sound.size or np.abs(sound).max() < 1e-3:
            return None, 0.0
        if not rows.tags:
            return slice(None), 0.0
        padded = np.pad(sound / np.abs(sound).max(), (0, max(0, 16_000 - len(sound))))
        frames = log_mel(padded.astype(np.float32))
        patches = np.stack([frames[i : i + PATCH] for i in range(0, len(frames) - PATCH + 1, HOP)])
        scores = self.tagger(patches)[1]
        wanted = scores[:, [self.tags.index(t) for t in rows.tags]].max(axis=1)
        speech = scores[:, self.tags.index("Speech")]
        good = np.flatnonzero((wanted >= rows.least) & ((wanted >= speech) | ("Speech" in rows.tags)))
        if not good.size:
            return None, float(wanted.max())
        runs = np.split(good, np.flatnonzero(np.diff(good) > PAUSE_PATCHES) + 1)
        run = max(runs, key=len)
        first, last = run[0] * HOP * 160, (run[-1] * HOP + PATCH) * 160
        return slice(first, min(last, first + round(LONGEST_S * SAMPLE_RATE))), float(wanted[run].mean())

    def _read(self, source: str) -> Wave:
        if source.startswith("soundfont:"):
            program, seed = (int(n) for n in source.split(":")[1].split("/"))
            return play(self.cache / "soundfont" / PACKAGES["soundfont"][1], program, seed)
        return read_sound(self._path(source))

    def _path(self, source: str) -> Path:
        short, name = source.split(":", 1)
        return self.cache / short / PACKAGES[short][1] / name

    def _target(self, kind: str, label: str | None, source: str, ending: str) -> Path:
        name = source.replace(":", "-").replace("/", "-").replace(" ", "_")
        target = self.out / f"{kind}s" / (label or "").replace(" ", "_") / (name + ending)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _note(
        self, target: Path, kind: str, label: str | None, split: str, source: str, more: dict[str, object]
    ) -> None:
        short, name = source.split(":", 1)
        package, _, licence = PACKAGES[short]
        if short == "gcompris":
            licence = next((text for start, text in GCOMPRIS_LICENCES if name.startswith(start)), licence)
        self.entries.append(
            {
                "file": target.relative_to(self.out).as_posix(),
                "kind": kind,
                "label": label,
                "split": SPLITS[split],
                "source": f"Debian package {package}: {name}",
                "licence": licence,
                **more,
            }
        )


def _lines(rows: str) -> list[tuple[str, str]]:
    pairs = [line.split(maxsplit=1) for line in rows.splitlines() if line.strip()]
    return [(split, source.strip()) for split, source in pairs]


def _image(path: Path) -> Image.Image:
    if path.suffix == ".svg":
        return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=SIDE_PX)))).convert("RGBA")
    return Image.open(path).convert("RGBA")


def _write_wav(path: Path, sound: Wave) -> None:
    peak = float(np.abs(sound).max(initial=0.0)) or 1.0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(sound / peak * 32000).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
