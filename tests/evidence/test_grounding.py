"""The default model's mapping in numpy says what the network's own says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from avloc import zoo
from avloc.errors import ModelError
from avloc.evidence.grounding import HEARD, HEARD_ALONE, SEEN, SEEN_ALONE, Grounding

DEFAULT = zoo.find_model("default")
CONFIG = zoo.read_config(DEFAULT)


def inputs(steps: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    widths = CONFIG.network.visual_width, CONFIG.network.audio_width
    visual, audio = ((4 * rng.random((steps, w)) ** 8).astype(np.float32) for w in widths)
    visual[:, 1000:], audio[:, -2] = rng.random((steps, 81)), rng.random(steps)
    audio[:, -1] = rng.normal(0.5, 1, steps)
    return visual, audio, np.arange(steps) < max(1, steps - 5)


@pytest.mark.parametrize("steps", [1, 7, 64])
def test_it_says_what_the_network_says(steps: int) -> None:
    torch = pytest.importorskip("torch")
    from avloc.models.grounded import Grounded, brightness

    network = Grounded(CONFIG.network)  # type: ignore[arg-type]
    weights = {name: torch.from_numpy(t.astype(np.float32)) for name, t in load_file(DEFAULT / zoo.WEIGHTS).items()}
    network.load_state_dict({n: t for n, t in weights.items() if n.startswith("grounding.")}, strict=False)
    given = inputs(steps)
    with torch.no_grad():
        heard, seen, _ = network.grounding(*(torch.from_numpy(x)[None] for x in given))
        wanted = [brightness(x, n)[0].numpy() for x, n in zip((heard, seen), network.grounding.noise, strict=True)]
    found = Grounding.load(DEFAULT, CONFIG)(*given)
    assert found.shape == (4, steps, len(CONFIG.labels))
    assert np.allclose(found[HEARD], wanted[0], atol=2e-6) and np.allclose(found[SEEN], wanted[1], atol=2e-6)


def test_a_face_alone_speaks_for_no_class_of_people_and_a_dog_for_dogs() -> None:
    grounding = Grounding.load(DEFAULT, CONFIG)
    visual, audio, mask = (np.zeros_like(x) for x in inputs(3))
    visual[:, 1000] = 0.95  # a face
    face = grounding(visual, audio, mask)
    people = CONFIG.labels.index("people sneezing")
    assert face[SEEN, 0, people] > 0.8 and face[SEEN_ALONE, 0, people] < 0.1
    rooster = CONFIG.labels.index("rooster crowing")
    visual[:, 1000], visual[:, 7] = 0, 4.0  # ImageNet's cock, by probability 1
    cock = grounding(visual, audio, mask)
    assert cock[SEEN_ALONE, 0, rooster] > 0.9 and (cock[HEARD_ALONE] < 1e-6).all()


def test_models_that_do_not_hold_the_two_apart_are_refused(tmp_path: Path) -> None:
    loco = zoo.find_model("loco")
    with pytest.raises(ModelError, match=re.escape("model loco: its network (loco) reads features")):
        Grounding.load(loco, zoo.read_config(loco))
    with pytest.raises(ModelError, match="cannot be read as weights"):
        Grounding.load(tmp_path, CONFIG)
    tensors = load_file(DEFAULT / zoo.WEIGHTS)
    save_file(tensors | {"grounding.voice": np.zeros((3, 4), np.float16)}, tmp_path / zoo.WEIGHTS)
    with pytest.raises(ModelError, match="does not fit the model's config"):
        Grounding.load(tmp_path, CONFIG)
    index = np.full_like(tensors["grounding.sound_index"], 5000)
    save_file(tensors | {"grounding.sound_index": index}, tmp_path / zoo.WEIGHTS)
    with pytest.raises(ModelError, match="names sounds that there are not"):
        Grounding.load(tmp_path, replace(CONFIG))
