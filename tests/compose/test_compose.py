"""Composed videos: truth is where a class is seen and heard, seeds reproduce, nothing meets by accident."""

from __future__ import annotations

import itertools
import json
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.compose import procedural
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.library import SAMPLE_RATE, MediaLibrary, Picture, Sound
from avloc.compose.planner import plan
from avloc.compose.render import compose_video, render, sample_frames, waveform
from avloc.compose.scene import Backdrop, Look, Motion, PictureLayer, Scene, SoundLayer, truth
from avloc.errors import ConfigError, MediaError
from avloc.media.whole import read_sound

LIBRARY = MediaLibrary.procedural()
BELL, BELL_SOUND = Picture("bell 0", "bell"), Sound("bell 0", "bell")
DRUM, DRUM_SOUND = Picture("drum 0", "drum"), Sound("drum 0", "drum")


def scene_of(pictures: list[PictureLayer], sounds: list[SoundLayer], duration_s: float = 6.0) -> Scene:
    return Scene(duration_s, (160, 96), 10.0, tuple(pictures), tuple(sounds), Backdrop(noise_db=-100.0))


def planned(seed: int, config: ComposeConfig | None = None) -> Scene:
    return plan(LIBRARY, config or ComposeConfig(), np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("seen", "heard", "expected"),
    [
        ([], [], []),
        ([(1, 3)], [], []),
        ([], [(1, 3)], []),
        ([(1, 3)], [(3, 5)], []),
        ([(1, 4)], [(2, 5)], [(2, 4)]),
        ([(0, 6)], [(1, 2), (3, 4)], [(1, 2), (3, 4)]),
        ([(1, 2), (3, 4)], [(0, 6)], [(1, 2), (3, 4)]),
        ([(1, 3), (2, 5)], [(0, 6)], [(1, 5)]),
        ([(1, 3)], [(2.97, 5)], []),
    ],
)
def test_truth_is_where_both_are_on(
    seen: list[tuple[float, float]], heard: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    scene = scene_of([PictureLayer(BELL, a, b) for a, b in seen], [SoundLayer(BELL_SOUND, a, b) for a, b in heard])
    events = truth(scene)
    assert [(e.start_s, e.end_s) for e in events] == expected
    assert set(events.labels) <= {"bell"}


def test_another_class_gives_no_truth() -> None:
    assert len(truth(scene_of([PictureLayer(BELL, 1, 4)], [SoundLayer(DRUM_SOUND, 1, 4)]))) == 0


def test_a_seed_gives_the_same_scene_frames_and_sound() -> None:
    one, again, other = planned(3), planned(3), planned(4)
    assert one == again and one != other
    assert np.array_equal(sample_frames(one, [1.0, 9.0]), sample_frames(again, [9.0, 1.0])[::-1])
    assert np.array_equal(waveform(one), waveform(again))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_planned_scenes_have_events_of_planned_length_and_no_accidents(seed: int) -> None:
    config = ComposeConfig(silent_objects=(2, 4), offscreen_sounds=(2, 4), overlap=1.0, familiar=1.0)
    scene = planned(seed, config)
    events = truth(scene)
    assert len(events) >= 1
    # Interrupted events come in pieces of at least 1 s; everything else is at least event_s long.
    assert np.all(events.end_s - events.start_s >= 1.0 - 1e-6)
    assert np.all(events.start_s >= 0) and np.all(events.end_s <= scene.duration_s + 1e-9)
    for label in set(events.labels):
        own = [e for e in events if e.label == label]
        assert all(b.start_s - a.end_s >= config.gap_s - 1e-6 for a, b in itertools.pairwise(own))
    for layer in (*scene.pictures, *scene.sounds):
        assert 0 <= layer.start_s < layer.end_s <= scene.duration_s + 1e-9


def test_without_events_objects_and_sounds_never_meet() -> None:
    config = ComposeConfig(events=(0, 0), silent_objects=(4, 4), offscreen_sounds=(4, 4), duration_s=(20, 25))
    scenes = [planned(seed, config) for seed in range(60)]
    assert all(len(truth(scene)) == 0 for scene in scenes)
    assert sum(len(s.pictures) for s in scenes) > 60 and sum(len(s.sounds) for s in scenes) > 60


def test_alike_classes_do_not_meet() -> None:
    alike = MediaLibrary(LIBRARY.pictures, LIBRARY.sounds, LIBRARY.backgrounds, alike=(frozenset(LIBRARY.classes),))
    config = ComposeConfig(events=(0, 0), silent_objects=(3, 3), offscreen_sounds=(3, 3), familiar=0.0)
    for seed in range(30):
        scene = plan(alike, config, np.random.default_rng(seed))
        assert not any(p.start_s < s.end_s and s.start_s < p.end_s for p in scene.pictures for s in scene.sounds)


def test_overlap_and_asynchrony_can_be_switched_off() -> None:
    config = ComposeConfig(
        overlap=0, asynchronous=0, lingering=0, interrupted=0, silent_objects=(0, 0), offscreen_sounds=(0, 0)
    )
    for seed in range(30):
        scene = planned(seed, config)
        events = truth(scene).by_time()
        assert np.all(events.start_s[1:] >= events.end_s[:-1])
        assert [(p.start_s, p.end_s) for p in scene.pictures] == [(s.start_s, s.end_s) for s in scene.sounds]


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_s": (5.0, 2.0)},
        {"event_s": (0.0, 2.0)},
        {"overlap": -0.1},
        {"fps": float("nan")},
        {"size": (0, 360)},
    ],
)
def test_a_wrong_setting_is_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as raised:
        ComposeConfig(**wrong)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_planning_events_without_media_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="both a picture and a sound"):
        plan(MediaLibrary({}, {}), ComposeConfig(), np.random.default_rng(0))


def test_frames_show_the_object_only_while_it_is_on() -> None:
    scene = scene_of([PictureLayer(DRUM, 2.0, 4.0, height=0.8)], [])
    before, on, after = sample_frames(scene, [1.99, 3.0, 4.0], (112, 112))
    assert before.shape == (112, 112, 3) and before.dtype == np.uint8
    assert np.array_equal(before, after)
    changed = np.flatnonzero((on != before).any(axis=(1, 2)))
    assert 0.7 * 112 < len(changed) < 0.95 * 112


def test_a_squeezed_frame_is_the_frame_squeezed() -> None:
    scene = scene_of([PictureLayer(DRUM, 0, 6, height=0.8, motion=Motion(x=0.3))], [])
    frame = next(render(scene)[0]).astype(float)
    squeezed = sample_frames(scene, [0.0], (80, 96))[0].astype(float)
    assert np.abs(frame.reshape(96, 80, 2, 3).mean(axis=2) - squeezed).mean() < 5


def test_a_fade_is_half_way_in_its_middle() -> None:
    layer = PictureLayer(DRUM, 2.0, 5.0, entry="fade", entry_s=0.4)
    off, half, full = sample_frames(scene_of([layer], []), [1.0, 2.2, 3.0]).astype(float)
    assert np.abs((off + full) / 2 - half).max() <= 2


def test_degraded_frames_stay_close_to_the_clean_ones() -> None:
    clean = planned(5, ComposeConfig(degraded=0, brightness=0))
    rough = Scene(**{**_fields(clean), "look": Look(blur=1.5, grain=4, blocks=4)})
    one, other = (sample_frames(s, [2.0, 8.0]).astype(float) for s in (clean, rough))
    assert 0.5 < np.abs(one - other).mean() < 12


def _fields(scene: Scene) -> dict[str, object]:
    return {name: getattr(scene, name) for name in Scene.__dataclass_fields__}


def test_sound_is_on_exactly_while_its_layer_is() -> None:
    sound = waveform(scene_of([], [SoundLayer(BELL_SOUND, 1.0, 5.5, gain_db=-6.0)]))
    assert sound.shape == (6 * SAMPLE_RATE,) and sound.dtype == np.float32
    loud = np.flatnonzero(np.abs(sound) > 0.01) / SAMPLE_RATE
    assert 1.0 <= loud[0] < 1.1 and 5.4 < loud[-1] <= 5.5
    assert 0.4 < np.abs(sound).max() < 0.6


def test_a_short_sound_is_repeated_with_pauses_under_half_a_second() -> None:
    short = Sound("drum 0", "drum")
    sound = waveform(scene_of([], [SoundLayer(short, 0.0, 20.0, pause_s=0.3)], 20.0))
    level = np.abs(sound).reshape(-1, SAMPLE_RATE // 20).max(axis=1)
    silent = np.flatnonzero(level < 1e-3)
    assert 4 < len(silent) < 60
    runs = np.split(silent, np.flatnonzero(np.diff(silent) > 1) + 1)
    assert max(map(len, runs)) <= 10


def test_a_loud_mix_is_turned_down_and_not_clipped() -> None:
    layers = [SoundLayer(Sound(c, c), 0.0, 6.0, gain_db=0.0) for c in ("surf", "engine", "arcade", "whistle")]
    sound = waveform(scene_of([], layers))
    assert np.abs(sound).max() == pytest.approx(1.0) and np.mean(np.abs(sound) > 0.99) < 0.01


def test_procedural_classes_look_and_sound_different_and_vary() -> None:
    assert len(LIBRARY.classes) >= 8
    small = [p.rgba()[::16, ::16].astype(float) for c in LIBRARY.classes for p in LIBRARY.pictures[c][:1]]
    for i, one in enumerate(small):
        assert all(np.abs(one - other).mean() > 10 for other in small[:i])
    for label in LIBRARY.classes:
        assert not np.array_equal(procedural.sound(label, 0), procedural.sound(label, 1))
        assert not np.array_equal(procedural.picture(label, 0), procedural.picture(label, 1))


def test_a_written_video_has_flash_and_beep_in_step(tmp_path: Path) -> None:
    flash = Sound("beacon 0", "beacon")
    scene = scene_of([PictureLayer(Picture("beacon 0", "beacon"), 2.0, 4.0)], [SoundLayer(flash, 2.0, 4.0)])
    path = compose_video(tmp_path / "flash.mp4", scene)
    with av.open(str(path)) as video:
        frames = [(float(f.time), f.to_ndarray(format="rgb24").astype(float)) for f in video.decode(video=0)]
    off = frames[0][1]
    shown = [t for t, f in frames if np.abs(f - off).mean() > 3]
    heard = np.flatnonzero(np.abs(read_sound(path)) > 0.05) / SAMPLE_RATE
    assert shown[0] == pytest.approx(2.0, abs=0.11) and shown[-1] == pytest.approx(3.9, abs=0.11)
    assert heard[0] == pytest.approx(2.0, abs=0.1) and heard[-1] == pytest.approx(4.0, abs=0.5)
    assert len(frames) == 60
    assert truth(scene)[0].label == "beacon"


# The manifest


def media_folder(folder: Path, **changes: object) -> Path:
    """One class with a picture and a sound, written by the package's own means; `changes` to the first entry."""
    folder.mkdir()
    with wave.open(str(folder / "bell.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((20000 * np.sin(np.arange(16000) * 0.3)).astype("<i2").tobytes())
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(procedural.picture("bell", 0)), format="rgba")
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = image.width, image.height, "rgba"
    encoder.time_base = Fraction(1, 25)
    packets = encoder.encode(image) + encoder.encode(None)
    (folder / "bell.png").write_bytes(b"".join(bytes(p) for p in packets))
    entries = [
        {"file": "bell.png", "kind": "picture", "label": "bell", "split": "train", **changes},
        {"file": "bell.wav", "kind": "sound", "label": "bell", "split": "train", "start_s": 0.5, "end_s": 1.5},
        {"file": "bell.wav", "kind": "sound", "label": "bell", "split": "test"},
        {"file": "bell.wav", "kind": "sound", "label": "gong", "split": "sample"},
    ]
    (folder / "manifest.json").write_text(json.dumps({"entries": entries}))
    return folder


def test_a_folder_is_read_with_its_cuts_and_splits(tmp_path: Path) -> None:
    folder = media_folder(tmp_path / "media")
    train = MediaLibrary.from_folder(folder, "train")
    assert train.classes == ("bell",) and not train.distractor_sounds
    assert np.array_equal(train.pictures["bell"][0].rgba(), procedural.picture("bell", 0))
    assert len(train.sounds["bell"][0].waveform()) == pytest.approx(SAMPLE_RATE, abs=50)
    test = MediaLibrary.from_folder(folder, "test")
    assert not test.classes  # the only picture is for training, and nothing is borrowed
    assert [len(s.waveform()) for s in test.distractor_sounds] == [pytest.approx(2 * SAMPLE_RATE, abs=50)]
    assert [s.label for s in MediaLibrary.from_folder(folder).distractor_sounds] == ["gong"]
    assert len(truth(plan(train, ComposeConfig(), np.random.default_rng(0)))) > 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"file": "../secret.png"}, "outside the folder"),
        ({"file": "/etc/hostname"}, "outside the folder"),
        ({"file": "gone.png"}, "does not exist"),
        ({"file": 3}, "path inside the folder"),
        ({"file": "a\0b"}, "path inside the folder"),
        ({"kind": "film"}, "use one of"),
        ({"label": ""}, "name of a class"),
        ({"start_s": "soon"}, "finite number"),
        ({"gain_db": float("nan")}, "finite number"),
        ({"start_s": 2, "end_s": 1}, "not after its start"),
        ({"split": 3}, "a text is needed"),
        ({"group": ["a"]}, "a text is needed"),
    ],
)
def test_a_hostile_manifest_is_one_clear_line(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    folder = media_folder(tmp_path / "media", **changes)
    with pytest.raises(MediaError, match=says) as raised:
        MediaLibrary.from_folder(folder)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", [None, "", "[1]", "{}", '{"entries": 3}', '{"entries": [4]}', '{"entries": []}'])
def test_a_broken_manifest_is_one_clear_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(MediaError) as raised:
        MediaLibrary.from_folder(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_picture_or_silent_says_so(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        Picture("text", "bell", tmp_path / "text.png").rgba()
    with pytest.raises(MediaError, match="cannot be read as a sound"):
        Sound("text", "bell", tmp_path / "text.png").waveform()


def test_what_names_no_split_is_in_each_and_a_group_of_training_in_no_test(tmp_path: Path) -> None:
    folder = media_folder(tmp_path / "media")
    manifest = json.loads((folder / "manifest.json").read_text())
    picture, sound = manifest["entries"][:2]
    entries = [
        {key: value for key, value in picture.items() if key != "split"},
        {**sound, "split": "train", "group": "violin"},
        {**sound, "split": "validation", "group": "violin"},
        {**sound, "split": "test", "group": "violin"},
        {**sound, "split": "test", "start_s": 0.7},
        {**sound, "label": "gong", "split": "test", "group": "violin"},
    ]
    (folder / "manifest.json").write_text(json.dumps({"entries": entries}))
    for split in ("train", "validation", "test"):
        assert len(MediaLibrary.from_folder(folder, split).sounds["bell"]) == 1
    test = MediaLibrary.from_folder(folder, "test")
    assert test.sounds["bell"][0].start_s == 0.7  # the other melody of the violin is not new
    entries[4]["group"] = "violin"
    (folder / "manifest.json").write_text(json.dumps({"entries": entries}))
    test = MediaLibrary.from_folder(folder, "test")
    assert not test.classes and [p.label for p in test.distractor_pictures] == ["bell"]


def test_splits_of_the_procedural_media_share_nothing() -> None:
    names = [
        {item.name for group in (*part.pictures.values(), *part.sounds.values()) for item in group}
        for part in (MediaLibrary.procedural(split) for split in ("train", "validation", "test"))
    ]
    assert all(names) and not any(a & b for a, b in itertools.combinations(names, 2))
    with pytest.raises(MediaError, match="no split 'sample'"):
        MediaLibrary.procedural("sample")
