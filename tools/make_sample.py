"""Makes the sample video with its truth and attribution, from the split `sample` of a media folder.

    python tools/make_sample.py MEDIA [--out demo]

The scene is fixed. Its pictures and sounds are in no training set. Write it again only together with the truth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from avloc.compose.library import MediaLibrary, Picture, Sound
from avloc.compose.render import compose_video
from avloc.compose.scene import Backdrop, Motion, PictureLayer, Scene, SoundLayer, truth

DURATION_S = 30.0
SILENT = ("playing acoustic guitar", 16.2, 18.2)
OFFSCREEN = ("rooster crowing", 5.8, 7.4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    given = parser.parse_args()
    library = MediaLibrary.from_folder(given.media, "sample")
    scene = sample_scene(library)
    given.out.mkdir(parents=True, exist_ok=True)
    video = compose_video(given.out / "sample.mp4", scene, crf=26)
    _write(given.out / "sample.truth.json", json.dumps(_truth(scene), indent=2) + "\n")
    _write(given.out / "ATTRIBUTION.md", _attribution(given.media, scene))
    print(f"{video}: {video.stat().st_size / 1e6:.2f} MB\n{truth(scene)}")


def sample_scene(library: MediaLibrary) -> Scene:
    """30 s: five classes, a dog in front of a violin, a silent guitar, a rooster heard off screen."""
    pictures = {p.label: p for group in library.pictures.values() for p in group}
    pictures |= {p.label: p for p in library.distractor_pictures}
    backgrounds = {name: b for b in library.backgrounds for name in ("driveway", "lake") if name in b.name}
    sounds = {s.label: s for group in library.sounds.values() for s in group}

    def seen(label: str, start_s: float, end_s: float, x: float = 0.5, height: float = 0.9) -> PictureLayer:
        picture: Picture = pictures[label]
        width = 0.95 if x == 0.5 else 0.48
        motion = Motion(x, 0.5, 0.0, 0.0, 0.02, 0.25)
        return PictureLayer(picture, start_s, end_s, width, height, picture.opaque(), motion, "fade", "cut", 0.2)

    def heard(label: str, start_s: float, end_s: float, pause_s: float = 0.0, gain_db: float = -5.0) -> SoundLayer:
        sound: Sound = sounds[label]
        return SoundLayer(sound, start_s, end_s, gain_db, pause_s, seed=1)

    return Scene(
        DURATION_S,
        (640, 360),
        25.0,
        (
            seen("sheep bleating", 1.0, 5.0),
            seen("playing violin", 7.6, 13.0, x=0.24, height=1.0),
            seen("dog barking", 11.0, 15.8),
            seen(*SILENT),
            seen("playing trumpet", 18.5, 23.6),
            seen("rooster crowing", 24.5, 29.0),
        ),
        (
            heard("sheep bleating", 1.4, 5.0, 0.3),
            heard(*OFFSCREEN, 0.3),
            heard("playing violin", 8.0, 13.2, gain_db=-9.0),
            heard("dog barking", 11.2, 15.6, 0.2, gain_db=-3.0),
            heard("playing trumpet", 19.0, 23.6),
            heard("rooster crowing", 24.5, 28.5, 0.3),
        ),
        Backdrop(backgrounds["driveway"], 1.1, 0.6, 0.0, noise_db=-62.0),
        seed=1,
    )


def _truth(scene: Scene) -> dict[str, object]:
    annotations = [{"segment": [round(e.start_s, 3), round(e.end_s, 3)], "label": e.label} for e in truth(scene)]
    others = [
        {"segment": list(span[1:]), "label": span[0], "modality": modality}
        for span, modality in ((OFFSCREEN, "A"), (SILENT, "V"))
    ]
    video = {"duration": DURATION_S, "subset": "test", "annotations": annotations, "other_events": others}
    return {"database": {"sample": video}}


def _attribution(media: Path, scene: Scene) -> str:
    """Source and licence of every ingredient, from the manifest."""
    entries = json.loads((media / "manifest.json").read_text(encoding="utf-8"))["entries"]
    used = {layer.picture.name: "picture" for layer in scene.pictures}
    used |= {layer.sound.name: "sound" for layer in scene.sounds}
    if scene.backdrop.picture is not None:
        used[scene.backdrop.picture.name] = "background"
    rows = [
        f"| {used[e['file']]} | {e['label'] or ''} | {e['source']} | {e['licence']} |"
        for e in entries
        if e["file"] in used
    ]
    return (
        "# Where the sample video comes from\n\n"
        "`sample.mp4` is composed by `tools/make_sample.py` from the pictures and sounds below; none of them is "
        "used in training.\nIts ingredients are free, each under its own licence; the whole may be passed on under "
        "the GPL, version 3 (CC-BY-SA and\nFree Art media lead there by way of CC-BY-SA 4.0). It is not under the "
        "licence of the program.\n\n"
        "| what | class | source | licence |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    main()
