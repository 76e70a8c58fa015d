"""`avloc detect --config`: the same settings in a file, with PyYAML and without, and the command line wins."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.cli import detect as verb
from avloc.cli.detect_flags import DetectFlags, over_file
from avloc.cli.main import main
from avloc.cli.plain_settings import plain_settings
from avloc.errors import AvlocError

HOUSE = """# what we show
model: default
label: [dog barking, bird chirping]
min_score:        # of all, and of one
  - 0.5
  - people clapping=0.8
min-length: 0.5
merge_gap: 1
start: 10:00
out: results
quick: true
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DetectFlags]:
    """The settings with which detection would run."""
    found: list[DetectFlags] = []

    def stop(settings: DetectFlags) -> None:
        found.append(settings)
        raise AvlocError("stopped here")

    monkeypatch.setattr(DetectFlags, "wanted", stop)
    return found


@pytest.fixture(params=["yaml", "plain"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "plain":
        without_yaml(monkeypatch)
    else:
        pytest.importorskip("yaml")
    return str(request.param)


def without_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def stand_in(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    monkeypatch.setattr(builtins, "__import__", stand_in)


@pytest.mark.usefixtures("reader")
def test_the_file_sets_what_flags_set(tmp_path: Path, asked: list[DetectFlags]) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    assert main(["detect", "a.mp4", "--report", "site", "--config", str(tmp_path / "house.yaml")]) == 1
    given = asked[0]
    assert given.label == ("dog barking", "bird chirping") and given.min_score == ("0.5", "people clapping=0.8")
    assert (given.min_length, given.merge_gap, given.out, given.quick) == (0.5, 1.0, Path("results"), True)
    assert given.start in ("10:00", "600")  # one reader takes it for a text, the other for minutes and seconds
    assert given.report == Path("site")


@pytest.mark.usefixtures("reader")
def test_the_command_line_wins(tmp_path: Path, asked: list[DetectFlags]) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    flags = ["--label", "cat meowing", "--min-score", "0.7", "--merge-gap", "0", "--out", "elsewhere"]
    main(["detect", "a.mp4", "--report", "site", *flags, f"--config={tmp_path / 'house.yaml'}"])
    given = asked[0]
    assert given.label == ("cat meowing",) and (given.merge_gap, given.out) == (0.0, Path("elsewhere"))
    assert given.min_score == ("0.5", "people clapping=0.8", "0.7")  # the last of a class counts


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("min_scor: 0.5", "house.yaml has no setting 'min_scor'; did you mean 'min_score'?"),
        ("videos: x", "house.yaml has no setting 'videos'"),
        ("min_length: long", "house.yaml.min_length is 'long'; float is needed"),
        ("quick: 3", "house.yaml.quick is 3; bool is needed"),
        ("label: [dog barking", "house.yaml"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "house.yaml").write_text(text)
    assert main(["detect", "a.mp4", "--config", str(tmp_path / "house.yaml")]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert main(["detect", "a.mp4", "--config", str(tmp_path / "none.yaml")]) == 1
    assert "none.yaml" in capsys.readouterr().err


def test_without_a_file_the_verb_is_as_it_was() -> None:
    assert over_file(verb.detect, ["detect", "a.mp4"]) is verb.detect


WORDS = st.text("abcdefgh ÄÖüß-_=.", min_size=1, max_size=12).map(str.strip).filter(lambda t: t[:1].isalpha())
VALUES = st.one_of(WORDS, st.booleans(), st.integers(-99, 99), st.floats(-9, 9).map(lambda x: round(x, 3)))


@given(
    st.dictionaries(st.sampled_from(["label", "min_score", "out", "model"]), VALUES | st.lists(VALUES, min_size=1))
)
def test_the_plain_reader_reads_as_pyyaml_does_or_refuses(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]
) -> None:
    yaml = pytest.importorskip("yaml")
    path = tmp_path_factory.mktemp("settings") / "house.yaml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    assert plain_settings(path) == (settings or {})


@pytest.mark.parametrize(
    "text",
    ["a: &x 1", "a: |\n  text", "a: {b: 1}", "a: !!python/name:os.system", "a: yes", "- 1", "a: 'x", "a: b: c"],
)
def test_more_than_plain_settings_is_refused_without_pyyaml(tmp_path: Path, text: str) -> None:
    (tmp_path / "house.yaml").write_text(text)
    with pytest.raises(AvlocError, match=r"house\.yaml, line 1: is more than") as told:
        plain_settings(tmp_path / "house.yaml")
    assert "pip install pyyaml" in str(told.value)
