"""Grounded: class scores of the encoders > evidence of each class > small pyramids for all classes > heads.

Not of the paper. Each class of the vocabulary is a weighted group of the encoders' own classes, by eye and by ear.
What is learned is how evidence of both makes an event, where it starts and where it ends; the weights are shared by
all classes, so that no picture or sound can be learned by heart, and a class needs no training media.

Legend: B batch, T time, K classes, S sound classes of one class (padded), C channels, N = B * K, P moments.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import GroundedConfig
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs, pyramid_points

CHANNELS = 12
FLOOR = 0.003  # evidence of this size means little, unless a class has a floor of its own
_GAIN = 4.0  # of the scores' square roots in the network's inputs
_FACE = 0.6  # from here on the detector's makers call it a face
_PITCH_STEPS = 11  # over which a voice is listened to


class Grounding(nn.Module):
    """The mapping: constants that are saved with the weights and never trained.

    seen (K, visual_width); sound_index and sound_weight (K, S); voice (K, 4) is mean and width of the pitch of a
    class's voice in octaves above 100 Hz, the logarithm of its share, and the number of its group (0 for none);
    alike (K, K) is 1 for classes that are hard to tell apart; context (3,) are the sound classes of silence, speech
    and music; foreign (sound classes,) is 1 for sounds of things that no class means; generic_sound, generic_sight,
    unmeant_sound and unmeant_sight are of avloc.evidence.explained and not used here. noise (2, K) is the evidence by
    ear and by eye that is found where a class is not: a group of a hundred breeds of dogs is seen a little
    everywhere, a trumpet nowhere.
    """

    seen: Tensor
    sound_index: Tensor
    sound_weight: Tensor
    voice: Tensor
    alike: Tensor
    context: Tensor
    foreign: Tensor
    generic_sound: Tensor
    generic_sight: Tensor
    unmeant_sound: Tensor
    unmeant_sight: Tensor
    noise: Tensor

    def __init__(self, config: GroundedConfig) -> None:
        super().__init__()
        K, self.objects = config.classes, config.objects
        self.register_buffer("seen", torch.zeros(K, config.visual_width))
        self.register_buffer("sound_index", torch.zeros(K, config.sounds, dtype=torch.long))
        self.register_buffer("sound_weight", torch.zeros(K, config.sounds))
        self.register_buffer("voice", torch.zeros(K, 4))
        self.register_buffer("alike", torch.zeros(K, K))
        self.register_buffer("context", torch.zeros(3, dtype=torch.long))
        self.register_buffer("foreign", torch.zeros(config.audio_width - 2))
        for name, width in (("sound", config.audio_width - 2), ("sight", config.visual_width)):
            self.register_buffer(f"generic_{name}", torch.zeros(width))
            self.register_buffer(f"unmeant_{name}", torch.zeros(width))
        self.register_buffer("noise", torch.full((2, K), FLOOR))

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B T K"], Float[Tensor, "B T K"], Float[Tensor, "B T 4"]]:
        """Evidence by ear and by eye, each from 0 to 1, and scores of silence, speech, music and foreign sounds."""
        widths = [visual.shape[-1] - self.objects - 1, 1, self.objects]
        pictures, face, objects = torch.split(visual, widths, dim=-1)
        odds = torch.logit(face.clamp(1e-4, 1 - 1e-4)) - math.log(_FACE / (1 - _FACE))
        # Squared: boxes of small scores are everywhere and mean nothing.
        known = torch.cat([(pictures / _GAIN) ** 2, torch.sigmoid(3 * odds), objects**2], dim=-1)
        seen = (known @ self.seen.T).clamp(max=1.0)
        sounds = (audio[..., :-2] / _GAIN) ** 2
        K, S = self.sound_index.shape
        heard = sounds[..., self.sound_index.reshape(-1)].reshape(*sounds.shape[:2], K, S)
        heard = (heard * self.sound_weight).amax(dim=-1)
        heard = heard * self._voices(audio[..., -2], audio[..., -1], mask)
        foreign = (sounds * self.foreign).amax(dim=-1, keepdim=True)
        return heard, seen, torch.cat([sounds[..., self.context], foreign], dim=-1)

    def _voices(
        self, voiced: Float[Tensor, "B T"], pitch: Float[Tensor, "B T"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T K"]:
        """How likely each class's voice is beside the likeliest of its group; 1 for classes without a voice."""
        mean, width, share, group = self.voice.unbind(dim=-1)  # (K,)
        z = (pitch[..., None] - mean) / width.clamp(min=1e-3)
        evidence = (-0.5 * z**2 - torch.log(width.clamp(min=1e-3))) * (voiced * mask)[..., None]
        weight = nearby((voiced * mask)[..., None]).clamp(min=0.02)
        log_p = share + nearby(evidence) / weight
        same = (group[:, None] == group[None, :]) & (group > 0)
        best = torch.where(same, log_p[..., None, :], -1e4).amax(dim=-1)  # (B, T, K)
        # Squared: the less likely voice is to be left clearly behind.
        return torch.where(group > 0, torch.exp(2 * (log_p - best).clamp(max=0.0)), 1.0)


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (N, C, T)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1))
        self.shift = nn.Parameter(torch.zeros(width, 1))

    def forward(self, x: Float[Tensor, "N C T"]) -> Float[Tensor, "N C T"]:
        centred = x - x.mean(dim=1, keepdim=True)
        return centred * torch.rsqrt((centred**2).mean(dim=1, keepdim=True) + 1e-5) * self.gain + self.shift


class Block(nn.Module):
    """Convolution over three steps, norm, ReLU; padding is neither read nor written."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width_in, width, 3, padding=1)
        self.norm = ChannelNorm(width)

    def forward(self, x: Float[Tensor, "N Ci T"], mask: Float[Tensor, "N 1 T"]) -> Float[Tensor, "N C T"]:
        return torch.relu(self.norm(self.conv(x))) * mask


class Pyramid(nn.Module):
    """Channels of one class's sequence > what its moments say. T must be a multiple of 2^(levels - 1)."""

    def __init__(self, config: GroundedConfig) -> None:
        super().__init__()
        W, L = config.width, config.levels
        self.levels = L
        self.stem = nn.ModuleList([Block(CHANNELS, W), Block(W, W)])
        self.down = nn.ModuleList(Block(W, W) for _ in range(L - 1))
        self.side = nn.ModuleList(nn.Conv1d(W, W, 1) for _ in range(L))
        self.up = nn.ModuleList(Block(W, W) for _ in range(L))
        self.classify = nn.ModuleList([Block(W, W), nn.Conv1d(W, 1, 3, padding=1)])
        self.regress = nn.ModuleList([Block(W, W), nn.Conv1d(W, 2, 3, padding=1)])
        self.level_bias = nn.Parameter(torch.full((L,), -math.log((1 - config.class_prior) / config.class_prior)))
        self.level_scale = nn.Parameter(torch.ones(L))

    def forward(
        self, x: Float[Tensor, "N C T"], mask: Bool[Tensor, "N T"]
    ) -> tuple[Float[Tensor, "N P"], Float[Tensor, "N P 2"], Bool[Tensor, "N P"]]:
        """Logits, offsets and mask of all moments of each sequence, finest level first."""
        masks = [mask[:, None, :: 2**i].to(x.dtype) for i in range(self.levels)]
        x = x * masks[0]
        for block in self.stem:
            x = block(x, masks[0])
        levels = [x]
        for block, m in zip(self.down, masks[1:], strict=True):
            levels.append(block(F.max_pool1d(levels[-1], 3, 2, 1), m))
        logits: list[Tensor] = []
        offsets: list[Tensor] = []
        y = torch.zeros_like(levels[-1])
        for i in reversed(range(self.levels)):
            y = self.side[i](levels[i]) + (y if i + 1 == self.levels else twice(y))
            y = self.up[i](y, masks[i])
            score = self.classify[1](self.classify[0](y, masks[i])) + self.level_bias[i]
            reach = F.softplus(self.regress[1](self.regress[0](y, masks[i])) + 1.0) * self.level_scale[i]
            logits.insert(0, score[:, 0])
            offsets.insert(0, reach.transpose(1, 2))
        return torch.cat(logits, dim=1), torch.cat(offsets, dim=1), torch.cat([m[:, 0] > 0 for m in masks], dim=1)

    @torch.no_grad()
    def rescale(self, slope: float, offset: float) -> None:
        """Make every logit slope * logit + offset."""
        for weight in self.classify[1].parameters():
            weight.mul_(slope)
        self.level_bias.mul_(slope).add_(offset)


class Grounded(Network):
    """Scores and cues of both modalities on one grid -> DenseOutputs. T must be a multiple of 2^(levels - 1)."""

    learns_classes = False

    def __init__(self, config: GroundedConfig) -> None:
        super().__init__()
        self.config: GroundedConfig = config
        self.multiple = 2 ** (config.levels - 1)
        self.grounding = Grounding(config)
        self.members = nn.ModuleList(Pyramid(config) for _ in range(config.members))

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> DenseOutputs:
        x = self.channels(*self.grounding(visual, audio, mask))  # (B, K, C, T)
        B, K = x.shape[:2]
        x = x.reshape(B * K, CHANNELS, -1)
        every = mask[:, None].expand(B, K, mask.shape[1]).reshape(B * K, -1)
        said = [member(x, every) for member in self.members]
        logits = torch.stack([s[0] for s in said]).mean(dim=0)
        offsets = torch.stack([s[1] for s in said]).mean(dim=0)
        P = logits.shape[1]
        return DenseOutputs(
            logits.reshape(B, K, P).transpose(1, 2),
            offsets.reshape(B, K, P, 2).transpose(1, 2),
            said[0][2].reshape(B, K, P)[:, 0],
            pyramid_points(mask.shape[1], self.config.levels, mask.device),
        )

    def channels(
        self, heard: Float[Tensor, "B T K"], seen: Float[Tensor, "B T K"], context: Float[Tensor, "B T 4"]
    ) -> Float[Tensor, "B K C T"]:
        """What the pyramids read of each class: its own evidence, that of its rivals, and the surroundings."""
        h, s = (brightness(x, noise) for x, noise in zip((heard, seen), self.grounding.noise, strict=True))
        both = torch.minimum(h, s)
        alike = self.grounding.alike > 0
        other = ~(alike | torch.eye(len(alike), dtype=torch.bool, device=alike.device))
        rivals = [rival(x, among) for among in (alike, other) for x in (h, s, both)]
        around = [c[..., None].expand_as(h) for c in context.unbind(dim=-1)]
        return torch.stack([h, s, *rivals, *around], dim=-1).permute(0, 2, 3, 1)


class Member(Network):
    """One pyramid as it is trained, on sequences of evidence: `visual` is channels of one class, `audio` nothing."""

    learns_classes = False

    def __init__(self, config: GroundedConfig) -> None:
        super().__init__()
        self.config: GroundedConfig = config
        self.multiple = 2 ** (config.levels - 1)
        self.pyramid = Pyramid(config)

    def forward(
        self, visual: Float[Tensor, "B T C"], audio: Float[Tensor, "B T 0"], mask: Bool[Tensor, "B T"]
    ) -> DenseOutputs:
        logits, offsets, kept = self.pyramid(visual.transpose(1, 2), mask)
        points = pyramid_points(mask.shape[1], self.config.levels, mask.device)
        return DenseOutputs(logits[..., None], offsets[:, :, None], kept, points)


def nearby(x: Float[Tensor, "B T K"]) -> Float[Tensor, "B T K"]:
    """Mean over the steps in which a voice is listened to."""
    return F.avg_pool1d(x.transpose(1, 2), _PITCH_STEPS, 1, _PITCH_STEPS // 2).transpose(1, 2)


def twice(x: Float[Tensor, "N C T"]) -> Float[Tensor, "N C T2"]:
    """Every step twice."""
    return x[..., None].expand(*x.shape, 2).reshape(*x.shape[:2], -1)


def brightness(evidence: Float[Tensor, "B T K"], noise: Float[Tensor, "K"]) -> Float[Tensor, "B T K"]:
    """Evidence on a logarithmic scale, in multiples of its class's noise, from 0 (none) to 1 (sure)."""
    return torch.log1p(evidence / noise) / torch.log1p(1 / noise)


def rival(x: Float[Tensor, "B T K"], among: Bool[Tensor, "K K"]) -> Float[Tensor, "B T K"]:
    """For each class the largest value of those `among` its rivals, 0 where it has none."""
    return torch.where(among, x[..., None, :], 0.0).amax(dim=-1)


def build(config: GroundedConfig) -> Grounded:
    """The network of these settings, its constants still empty."""
    return Grounded(config)
