"""AVE, LLP, DESED, EPIC-Sounds and OV-AVEBench as one types them: looked over, trained, tested, evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.evaluation.psds import SCENARIOS, psds
from avloc.evaluation.segment_accuracy import best_accuracy, segment_accuracy
from avloc.events import Events
from avloc.formats.activitynet import read_results
from avloc.formats.ave import read_ave
from avloc.training.run import read_run

ENDINGS = {"_one_peace_video_finetune.npy": 12, "_one_peace_audio.npy": 8}
SMALL = ["--network.width", "16", "--network.heads", "2", "--network.fusion-attention-width", "16"]
SMALL += ["--network.levels", "3", "--train.epochs", "2", "--train.warmup-epochs", "1", "--device", "cpu"]
CLASSES = ("Bark", "Church bell")


def features(folder: Path, clips: list[str], duration_s: float = 10.0) -> Path:
    """Features on ONE-PEACE's grid, narrower, as a simulation's record tells."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    (folder / "simulation.json").write_text(json.dumps({"layout": "onepeace", "widths": ENDINGS}))
    for clip in clips:
        for ending, width in ENDINGS.items():
            steps = round((duration_s - 1) / 0.25) + 1
            np.save(folder / f"{clip}{ending}", rng.standard_normal((steps, width)).astype(np.float16))
    return folder


@pytest.fixture(scope="module")
def ave(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ave")
    (folder / "AVE").mkdir()
    for name, count in (("trainSet", 8), ("valSet", 4), ("testSet", 4)):
        rows = [f"{CLASSES[i % 2]}&{name}{i}&good&{i % 3}&{5 + i % 5}" for i in range(count)]
        (folder / "AVE" / f"{name}.txt").write_text("\n".join(rows))
    features(folder / "features", list(read_ave(folder / "AVE")))
    return folder


def given(ave: Path) -> list[str]:
    return ["--data.features", str(ave / "features"), "--data.annotations", str(ave / "AVE")]


@pytest.fixture(scope="module")
def run(ave: Path) -> Path:
    assert main(["train", "loco-ave-small", *given(ave), "--out", str(ave / "run"), *SMALL]) == 0
    return ave / "run"


def test_segment_accuracy_of_a_trained_model(run: Path, ave: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["test", str(run), "--metrics", "segment-accuracy", "--device", "cpu", "--json"]) == 0
    shown = capsys.readouterr()
    scores = json.loads(shown.out)["segment_accuracy"]
    truth = {v: t for v, t in read_ave(ave / "AVE").items() if t.subset == "test"}
    found = read_results(run / "test.predictions.json")
    lengths = dict.fromkeys(truth, 10.0)
    goal = {video: entry.events for video, entry in truth.items()}
    want = segment_accuracy(found, goal, lengths, min_score=scores["min_score"])
    assert scores["segments"] == 40 and scores["right"] == want.right
    assert f"from score {scores['min_score']:.3g} on, which is best for segment-accuracy on val" in shown.err
    # The threshold is that of the validation split, not the best one on the test split.
    assert main(["test", str(run), "--split", "val", "--device", "cpu", "--json"]) == 0
    capsys.readouterr()
    held_out = {v: t.events for v, t in read_ave(ave / "AVE").items() if t.subset == "val"}
    best = best_accuracy(read_results(run / "val.predictions.json"), held_out, dict.fromkeys(held_out, 10.0))
    assert scores["min_score"] == pytest.approx(min(1.0, best.min_score), abs=1e-5)
    assert main(["test", str(run), "--metrics", "segment-accuracy", "--min-score", "0.9", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert "segments of 1 s, a score of 0.9 or more" in shown.out and "which is best" not in shown.err


def test_lenient_training_leaves_out_and_counts(
    ave: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "AVE").mkdir()
    for name in ("trainSet", "valSet", "testSet"):
        (tmp_path / "AVE" / f"{name}.txt").write_text((ave / "AVE" / f"{name}.txt").read_text())
    with (tmp_path / "AVE" / "trainSet.txt").open("a") as file:
        file.write("\nBark&trainSet1&good&12&14\nBark&lost&good&0&5")
    data = ["--data.features", str(ave / "features"), "--data.annotations", str(tmp_path / "AVE")]
    out = ["--out", str(tmp_path / "run"), *SMALL, "--train.epochs", "1", "--train.warmup-epochs", "0"]
    assert main(["train", "loco-ave-small", *data, *out]) == 1
    assert "trainSet1: entry 1 (Bark, 12 to 14 s): the event ends after the video" in capsys.readouterr().err
    assert main(["train", "loco-ave-small", *data, *out, "--data.lenient"]) == 0
    shown = capsys.readouterr()
    assert (
        "1 event and 1 video left out, with which something is wrong; the first: trainSet1" in shown.out + shown.err
    )
    assert read_run(tmp_path / "run").data.lenient
    for clip in ("valSet0", "valSet1", "valSet2", "valSet3"):
        text = (tmp_path / "AVE" / "valSet.txt").read_text()
        (tmp_path / "AVE" / "valSet.txt").write_text(text.replace(clip, f"{clip}gone"))
    assert main(["train", "loco-ave-small", *data, *out, "--data.lenient", "--out", str(tmp_path / "no")]) == 1
    assert "no video is of subset 'val'" in capsys.readouterr().err


@pytest.mark.parametrize("data", ["ave", "llp", "ov-ave", "epic-sounds"])
def test_check_data_of_each(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "annotations"
    own.mkdir()
    parts = {"train": "a", "val": "b", "test": "c"}
    if data == "ave":
        for part, clip in parts.items():
            (own / f"{part}Set.txt").write_text(f"Bark&{clip}&good&2&7\n")
    elif data == "llp":
        for name in ("audio", "visual"):
            rows = "".join(f"{clip}\t2\t7\tDog\n" for clip in "bc")
            (own / f"AVVP_eval_{name}.csv").write_text(f"filename\tonset\toffset\tevent_labels\n{rows}")
        for name, clip in (("train", "a"), ("val_pd", "b"), ("test_pd", "c")):
            (own / f"AVVP_{name}.csv").write_text(f"filename\tevent_labels\n{clip}\tDog\n")
    elif data == "ov-ave":
        label = json.dumps([0, 0, 1, 1, 1, 1, 1, 0, 0, 0])
        entries = {clip: {"category": "dog barking", "label": label} for clip in "abc"}
        (own / "ovavel_dataset_anno.json").write_text(json.dumps(entries))
        rows = "".join(f"{part},dog barking,close,{clip}\n" for part, clip in parts.items())
        (own / "ovave_dataset_meta.csv").write_text(f"split,category,cls_type,vid_name\n{rows}")
    else:
        head = "annotation_id,participant_id,video_id,start_timestamp,stop_timestamp,description,class,class_id\n"
        for part, clip in (("train", "a"), ("validation", "b")):
            row = f"{clip}_0,P01,{clip},00:00:02.000,00:00:07.000,dog,animal,3\n"
            (own / f"EPIC_Sounds_{part}.csv").write_text(head + row)
    folder = features(tmp_path / "features", ["a", "b", "c"])
    asked = ["check-data", data, "--features", str(folder), "--annotations", str(own), "--layout", "onepeace"]
    assert main([*asked, "--levels", "4", "--first-reach", "8"]) == 0
    shown = capsys.readouterr().out
    assert "Nothing is wrong" in shown and "0 to 2" in shown
    assert "--loss.first-reach 16 --network.levels 2 --train.longest-steps 38" in shown
    assert main([*asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["suggestion"] == {"first_reach": 16.0, "levels": 2, "longest_steps": 38}
    (folder / "b_one_peace_audio.npy").unlink()
    assert main(asked) == 1
    assert "b_one_peace_audio.npy" in capsys.readouterr().out
    assert main([*asked, "--levels", "0"]) == 1
    assert "--levels is 0" in capsys.readouterr().err


def test_by_modality_from_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The clip of tests/evaluation/test_parsing.py, whose numbers are worked out there by hand."""
    (tmp_path / "llp.csv").write_text(
        "video,start,end,label,modality\na,0,4,Speech,A\na,2,6,Speech,V\na,8,10,Dog,audio\n"
    )
    rows = [(0, 2, "audio", "Speech"), (3, 4, "audio", "Speech"), (2, 8, "visual", "Speech"), (0, 1, "V", "Car")]
    events = [{"segment": [a, b], "label": n, "modality": m, "score": 0.7} for a, b, m, n in rows]
    (tmp_path / "found.json").write_text(json.dumps({"results": {"a": events}}))
    asked = ["evaluate", str(tmp_path / "found.json"), "--truth", str(tmp_path / "llp.csv"), "--by-modality"]
    assert main([*asked, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["by_modality"]
    assert scores["segment"] == pytest.approx(
        {"A": 3 / 7, "V": 2 / 5, "AV": 2 / 3, "Type@AV": (3 / 7 + 2 / 5 + 2 / 3) / 3, "Event@AV": 14 / 51}
    )
    assert scores["event"] == pytest.approx(
        {"A": 1 / 3, "V": 1 / 2, "AV": 1.0, "Type@AV": (1 / 3 + 1 / 2 + 1) / 3, "Event@AV": 4 / 15}
    )
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert "F by modality, %, all predictions" in shown and "42.9" in shown and "Type@AV" in shown
    assert main([*asked, "--metrics", "psds"]) == 1
    assert "the length of video 'a' is not known; give it in the truth" in capsys.readouterr().err


def test_psds_of_desed_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validation = tmp_path / "metadata" / "validation"
    validation.mkdir(parents=True)
    clips = [f"Y{i}_0.000_10.000.wav" for i in range(4)]
    rows = [f"{clip}\t{i}\t{i + 2}\t{label}" for i, clip in enumerate(clips) for label in ("Dog", "Cat")]
    (validation / "validation.tsv").write_text("\n".join(["filename\tonset\toffset\tevent_label", *rows, ""]))
    lengths = "\n".join(["filename\tduration", *(f"{clip}\t600" for clip in clips), ""])
    (validation / "validation_durations.tsv").write_text(lengths)
    found = {
        f"Y{i}_0.000_10.000": Events([i, i + 0.5, 8], [i + 2, i + 2, 9], ["Dog", "Cat", "Cat"], [0.9, 0.5, 0.1 * i])
        for i in range(4)
    }
    table = ["video,start,end,label,score"]
    table += [f"{v},{e.start_s},{e.end_s},{e.label},{e.score}" for v, events in found.items() for e in events]
    (tmp_path / "found.csv").write_text("\n".join(table))
    asked = ["evaluate", str(tmp_path / "found.csv"), "--truth", str(tmp_path / "metadata"), "--split", "validation"]
    assert main([*asked, "--metrics", "psds", "sound-events", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    truth = {v: Events([i, i], [i + 2, i + 2], ["Dog", "Cat"]) for i, v in enumerate(found)}
    for name, scenario in SCENARIOS.items():
        want = psds(found, truth, dict.fromkeys(found, 600.0), scenario)
        assert scores["psds"][name]["value"] == pytest.approx(want.value) and want.value > 0.1
    assert scores["sound_events"]["segments of 1 s"]["macro"] > 0.5
    assert main([*asked, "--metrics", "psds"]) == 0
    shown = capsys.readouterr().out
    assert "PSDS, %, over all thresholds" in shown and "PSDS2" in shown and "Dog" in shown
