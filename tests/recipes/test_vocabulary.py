"""Vocabularies: the shipped one gives the constants of the shipped weights; a wrong one is one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from avloc.compose import procedural
from avloc.errors import ConfigError
from avloc.recipes.vocabulary import HEARD, PROCEDURAL, SEEN, read_vocabulary
from avloc.zoo import WEIGHTS, find_model, read_config

SMALL = """
alike = [["a", "b"]]
foreign = ["Snoring", "Bark"]
[groups]
dogs = ["Bark", "Howl*0.5"]
[classes.b]
ear = ["$dogs", "Howl*0.8", "Flute..Clarinet*0.3"]
eye = ["@face*0.5", "#dog"]
voice = { kind = "low", group = "speech", octaves = 0.5, spread = 0.2, share = 3 }
[classes.a]
ear = ["Speech"]
eye = ["tench..goldfish"]
voice = { kind = "high", group = "speech", octaves = 1.5, spread = 0.4, share = 1 }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "vocabulary.toml"
    path.write_text(text)
    return path


def test_the_shipped_vocabulary_is_that_of_the_shipped_weights() -> None:
    folder = find_model("default")
    config, weights = read_config(folder), load_file(folder / WEIGHTS)
    vocabulary = read_vocabulary()
    assert vocabulary.labels == config.labels and vocabulary.alike == config.decoding.rivals
    for name, values in vocabulary.constants().items():
        stored = weights[f"grounding.{name}"]
        assert np.array_equal(values.astype(np.float16), stored), name


def test_the_page_is_written_from_the_vocabulary() -> None:
    page = (Path(__file__).parents[2] / "docs" / "vocabulary.md").read_text("utf-8")
    vocabulary = read_vocabulary()
    for name, word in vocabulary.classes.items():
        assert f"\n| {name}{'*' if word.extra else ''} | " in page
    for name, why in vocabulary.left_out.items():
        assert f"- {name}: {why}\n" in page


def test_the_procedural_vocabulary_knows_the_procedural_classes() -> None:
    assert read_vocabulary(PROCEDURAL).labels == procedural.CLASSES


def test_terms_groups_ranges_and_weights(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(written(tmp_path, SMALL))
    assert vocabulary.labels == ("a", "b")
    sound = vocabulary.audio_matrix(("b",))[0]
    assert (sound[HEARD.index("Bark")], sound[HEARD.index("Howl")]) == (1, np.float32(0.8))  # the larger one counts
    low, high = HEARD.index("Flute"), HEARD.index("Clarinet")
    assert np.flatnonzero(sound).tolist() == sorted({HEARD.index("Bark"), HEARD.index("Howl"), *range(low, high + 1)})
    picture = vocabulary.visual_matrix(("b", "a"))
    assert picture[0, SEEN.index("@face")] == 0.5 and picture[0, SEEN.index("#dog")] == 1
    assert picture[1].sum() == 2 and picture[1, 0] == picture[1, 1] == 1
    constants = vocabulary.constants()
    assert constants["voice"][:, 3].tolist() == [1, 1] and np.exp(constants["voice"][:, 2]) == pytest.approx(
        [0.25, 0.75]
    )
    assert constants["alike"].tolist() == [[0, 1], [1, 0]]
    foreign = constants["foreign"]
    assert foreign[HEARD.index("Snoring")] == 1 and foreign[HEARD.index("Bark")] == 0  # a class of ours means it
    assert [HEARD[i] for i in constants["context"]] == ["Silence", "Speech", "Music"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"Speech"', '"Speach"', "did you mean 'Speech'"),
        ('"#dog"', '"#dogg"', "did you mean '#dog'"),
        ('"$dogs"', '"$dog"', "did you mean 'dogs'"),
        ("Howl*0.8", "Howl*2", "up to 1"),
        ("Howl*0.8", "Howl*much", "up to 1"),
        ("Flute..Clarinet", "Clarinet..Flute", "FIRST..LAST"),
        ('ear = ["Speech"]', "", "lacks the setting 'ear'"),
        ('ear = ["Speech"]', "ear = []", "at least a term"),
        ('ear = ["Speech"]', 'ear = "Speech"', "a list is needed"),
        ('["a", "b"]', '["a", "c"]', "which is no class"),
        ("spread = 0.2", "spread = 0", "above 0"),
        ("spread = 0.2", "spread = nan", "above 0"),
        ("[groups]", "[grups]", "did you mean 'groups'"),
        ("foreign = [", "foreign = [3, ", "a list of texts"),
        ("[classes.a]", "[classes.a", "TOML is needed"),
    ],
)
def test_a_wrong_vocabulary_is_one_clear_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError) as raised:
        read_vocabulary(written(tmp_path, SMALL.replace(old, new, 1)))
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_a_missing_or_empty_vocabulary_is_one_clear_line(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "no.toml", "cannot be read"), (written(tmp_path, ""), "has no class")):
        with pytest.raises(ConfigError, match=says):
            read_vocabulary(path)
