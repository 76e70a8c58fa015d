"""Identity by stream: what is not read does not matter, and what is read must be of the same making."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from avloc import zoo
from avloc.config import FeatureConfig
from avloc.errors import FeatureError
from avloc.features.extractors.build import build_extractor
from avloc.streams import STREAMS, Streams

MADE = Streams("v/1", "a/1", "v/2", "a/1", "c/1")


def test_the_names_are_those_of_the_fields() -> None:
    assert tuple(f.name for f in fields(Streams)) == STREAMS


def test_only_what_is_read_counts() -> None:
    read = MADE.only("visual", "audio_scores")
    assert read == Streams(visual="v/1", audio_scores="a/1")
    assert read.unlike(MADE) == read.unlike(replace(MADE, cues="c/2", visual_scores="")) == ()
    assert read.unlike(replace(MADE, visual="v/2")) == ("visual",)
    assert read.unlike(Streams()) == ("visual", "audio_scores")
    assert Streams().unlike(MADE) == ()


def test_what_does_not_fit_is_named_with_its_makers() -> None:
    MADE.require(MADE, "they")
    with pytest.raises(FeatureError) as caught:
        MADE.require(replace(MADE, visual_scores="v/3", cues=""), "they")
    assert str(caught.value) == "they are of v/3 (visual_scores), the model reads v/2 (visual_scores); c/1 (cues)"


@pytest.mark.parametrize("name", zoo.shipped_names())
def test_shipped_models_read_what_the_shipped_extractor_makes(name: str) -> None:
    features = zoo.read_config(zoo.find_model(name)).features
    made = build_extractor().streams
    assert features.read.items() and features.read.unlike(made) == ()


def test_a_new_cue_leaves_other_models_as_they_are() -> None:
    made = replace(build_extractor().streams, cues="avloc-embedded/4")
    reads = {name: zoo.read_config(zoo.find_model(name)).features.read for name in ("default", "loco")}
    assert reads["loco"].unlike(made) == () and reads["default"].unlike(made) == ("cues",)


def test_the_settings_default_is_what_the_shipped_extractor_makes() -> None:
    assert FeatureConfig().streams == build_extractor().streams
