"""The grounded network: what evidence means, that classes share everything, that padding does not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from avloc.config import FeatureConfig, GroundedConfig, ModelConfig  # noqa: E402
from avloc.features.inputs import SCORE_GAIN  # noqa: E402
from avloc.models.grounded import CHANNELS, Grounded, Member, brightness  # noqa: E402
from avloc.timegrid import pyramid_moments  # noqa: E402

T, LEVELS = 64, 4
CONFIG = GroundedConfig(
    classes=4, sounds=2, visual_width=5 + 1 + 2, audio_width=6 + 2, objects=2, width=8, levels=LEVELS
)


@pytest.fixture
def network() -> Grounded:
    """Classes: 0 picture 1 and sound 2; 1 a face and half of sound 3; 2 and 3 a face and sound 4, low and high."""
    torch.manual_seed(0)
    net = Grounded(CONFIG).eval()
    g = net.grounding
    g.seen[0, 1], g.seen[0, 7], g.seen[1:, 5] = 1, 0.5, 1
    g.sound_index.copy_(torch.tensor([[2, 0], [3, 0], [4, 0], [4, 0]]))
    g.sound_weight.copy_(torch.tensor([[1.0, 0], [0.5, 0], [1, 0], [1, 0]]))
    g.voice.copy_(torch.tensor([[0, 1, 0, 0], [0, 1, 0, 0], [0.3, 0.3, -0.5, 1], [1.1, 0.3, -0.9, 1]]))
    g.alike[2, 3] = g.alike[3, 2] = 1
    g.context.copy_(torch.tensor([0, 1, 1]))
    g.foreign[5] = 1
    return net


def inputs(seen: int = 1, heard: int = 2, face: float = 0.1, pitch: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Sure pictures and sounds all the time."""
    visual, audio = torch.zeros(1, T, 8), torch.zeros(1, T, 8)
    visual[..., seen], visual[..., 5] = SCORE_GAIN, face
    audio[..., heard] = SCORE_GAIN
    audio[..., 6], audio[..., 7] = 1.0, pitch
    return visual, audio


def test_evidence_is_what_the_mapping_says(network: Grounded) -> None:
    mask = torch.ones(1, T, dtype=torch.bool)
    heard, seen, _ = network.grounding(*inputs(), mask)
    assert heard[0, 5].tolist() == pytest.approx([1, 0, 0, 0]) and seen[0, 5, 0] == pytest.approx(1)
    assert seen[0, 5, 1] < 0.01  # a face of .1 is none
    heard, seen, _ = network.grounding(*inputs(seen=0, heard=3, face=0.9), mask)
    assert heard[0, 5].tolist() == pytest.approx([0, 0.5, 0, 0]) and seen[0, 5, 0] == 0 and seen[0, 5, 1] > 0.9


def test_an_object_counts_with_the_square_of_its_score(network: Grounded) -> None:
    visual, audio = inputs(seen=0)
    visual[..., 7], visual[..., 6] = 0.8, 1.0
    _, seen, _ = network.grounding(visual, audio, torch.ones(1, T, dtype=torch.bool))
    assert seen[0, 5, 0] == pytest.approx(0.5 * 0.8**2)


def test_a_foreign_sound_is_told_to_every_class(network: Grounded) -> None:
    visual, audio = inputs()
    mask = torch.ones(1, T, dtype=torch.bool)
    audio[..., 0], audio[..., 5] = 0.2 * SCORE_GAIN, 0.5 * SCORE_GAIN
    heard, seen, context = network.grounding(visual, audio, mask)
    assert context[0, 9].tolist() == pytest.approx([0.04, 0, 0, 0.25])  # silence, speech, music, foreign
    channels = network.channels(heard, seen, context)
    assert channels.shape == (1, 4, CHANNELS, T) and torch.allclose(channels[:, :, -1], torch.tensor(0.25))


@pytest.mark.parametrize(("pitch", "winner"), [(0.2, 2), (1.2, 3)])
def test_a_voice_goes_to_whom_its_pitch_fits(network: Grounded, pitch: float, winner: int) -> None:
    heard, _, _ = network.grounding(*inputs(heard=4, pitch=pitch), torch.ones(1, T, dtype=torch.bool))
    assert heard[0, 30, winner] == pytest.approx(1) and heard[0, 30, 5 - winner] < 0.2


def test_shapes_are_those_of_the_moments(network: Grounded) -> None:
    mask = torch.arange(T)[None] < 40
    found = network(*inputs(), mask)
    moments = pyramid_moments(T, LEVELS)
    assert found.logits.shape == (1, len(moments), 4) and found.offsets.shape == (1, len(moments), 4, 2)
    assert np.array_equal(found.mask[0].numpy(), moments.step < 40)
    assert (found.offsets >= 0).all()


def test_what_lies_behind_the_end_does_not_matter(network: Grounded) -> None:
    mask = torch.arange(T)[None] < 40
    visual, audio = inputs()
    one = network(visual, audio, mask)
    visual, audio = visual.clone(), audio.clone()
    visual[:, 40:], audio[:, 40:] = 0.7, 0.7
    other = network(visual, audio, mask)
    assert torch.allclose(one.logits[one.mask], other.logits[one.mask], atol=1e-5)


def test_classes_with_the_same_evidence_get_the_same_answer(network: Grounded) -> None:
    """Weights are shared: what is learned of one class holds for all."""
    visual, audio = inputs(seen=0, heard=4, face=0.9, pitch=0.7)
    network.grounding.voice.zero_()
    found = network(visual, audio, torch.ones(1, T, dtype=torch.bool))
    assert torch.allclose(found.logits[..., 2], found.logits[..., 3])
    assert not torch.allclose(found.logits[..., 2], found.logits[..., 0])


def test_brightness_runs_from_nothing_to_sure_in_multiples_of_the_noise() -> None:
    evidence = torch.tensor([[[0.0, 0.0], [0.03, 0.03], [1.0, 1.0]]])
    bright = brightness(evidence, torch.tensor([0.003, 0.03]))[0]
    assert bright[:, 0].tolist() == pytest.approx([0, 0.4128, 1], abs=1e-3)
    assert bright[:, 1].tolist() == pytest.approx([0, 0.1960, 1], abs=1e-3)  # log 2 / log(1 + 1 / 0.03)


def test_members_are_averaged() -> None:
    torch.manual_seed(1)
    both = Grounded(replace(CONFIG, members=2)).eval()
    visual, audio = inputs()
    mask = torch.ones(1, T, dtype=torch.bool)
    x = both.channels(*both.grounding(visual, audio, mask))[0]
    one, other = (member(x, mask.expand(4, T)) for member in both.members)
    found = both(visual, audio, mask)
    assert not torch.allclose(one[0], other[0], atol=1e-3)
    assert torch.allclose(found.logits[0].T, (one[0] + other[0]) / 2, atol=1e-5)
    assert torch.allclose(found.offsets[0].transpose(0, 1), (one[1] + other[1]) / 2, atol=1e-5)


def test_rescaled_logits_lie_on_the_line(network: Grounded) -> None:
    x, mask = torch.rand(3, CHANNELS, T), torch.ones(3, T, dtype=torch.bool)
    before = network.members[0](x, mask)
    network.members[0].rescale(1.5, -0.25)
    after = network.members[0](x, mask)
    assert torch.allclose(after[0], 1.5 * before[0] - 0.25, atol=1e-5) and torch.equal(after[1], before[1])


def test_a_config_is_read_back_as_its_own_kind() -> None:
    from avloc.config import from_dict, to_dict

    config = ModelConfig("g", ("a", "b", "c", "d"), FeatureConfig(embeddings=False, cues=3), CONFIG)
    assert from_dict(ModelConfig, to_dict(config)) == config


def test_a_member_says_of_sequences_what_its_pyramid_says() -> None:
    torch.manual_seed(2)
    member = Member(CONFIG).eval()
    x, mask = torch.rand(3, T, CHANNELS), torch.arange(T) < torch.tensor([[T], [40], [1]])
    found = member(x, torch.zeros(3, T, 0), mask)
    logits, offsets, kept = member.pyramid(x.transpose(1, 2), mask)
    assert torch.equal(found.logits[..., 0], logits) and torch.equal(found.offsets[:, :, 0], offsets)
    assert torch.equal(found.mask, kept) and found.is_class_aware and member.multiple == 2 ** (LEVELS - 1)
    assert np.array_equal(found.place.numpy(), pyramid_moments(T, LEVELS).step)
