"""Network inputs > how strongly each class is heard and seen, step by step: the default model's mapping, in numpy.

It is `avloc.models.grounded.Grounding` and `brightness`, whose constants lie in the model's weights; a test holds the
two against one another. Beside that it tells of each class what it need not share: a face speaks for twenty classes
of people, and so for each of them by itself only a little; a saxophone for one.

Legend: T time, K classes, S sound classes of one class (padded), Dv and Da widths of the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from avloc import zoo
from avloc.config import GroundedConfig, ModelConfig
from avloc.errors import ModelError

Float32 = NDArray[np.float32]

HEARD, SEEN, HEARD_ALONE, SEEN_ALONE = range(4)
"""Places of what `Grounding` tells: how strongly in multiples of the noise, and without what classes share."""

_GAIN = 4.0  # of the scores' square roots in the network's inputs
_FACE = 0.6  # from here on the detector's makers call it a face
_PITCH_STEPS = 11  # over which a voice is listened to
_PREFIX = "grounding."


@dataclass(frozen=True, slots=True, eq=False)
class Grounding:
    """Constants of a model; shapes as in `avloc.models.grounded.Grounding`."""

    objects: int
    seen: Float32
    sound_index: NDArray[np.intp]
    sound_weight: Float32
    voice: Float32
    alike: NDArray[np.bool_]
    noise: Float32

    @classmethod
    def load(cls, folder: Path, config: ModelConfig) -> Grounding:
        """Of a model folder.

        Raises:
            ModelError: its network is of another method, which does not hold the two apart, or its weights are
                broken.
        """
        network = config.network
        if not isinstance(network, GroundedConfig):
            raise ModelError(
                f"model {config.name}: its network ({network.method}) reads features that do not say by themselves "
                "what is seen and what is heard; --evidence needs a model of the method grounded, such as default"
            )
        path = folder / zoo.WEIGHTS
        K = network.classes
        shapes = {
            "seen": (K, network.visual_width), "sound_index": (K, network.sounds),
            "sound_weight": (K, network.sounds), "voice": (K, 4), "alike": (K, K), "noise": (2, K),
        }  # fmt: skip
        try:
            with safe_open(path, framework="numpy") as file:
                found = {name: file.get_tensor(_PREFIX + name).astype(np.float32) for name in shapes}
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path}: cannot be read as weights ({error}); give a whole model folder") from None
        if any(found[name].shape != shape for name, shape in shapes.items()):
            raise ModelError(f"{path}: its mapping does not fit the model's config; give a whole model folder")
        index, alike = found.pop("sound_index").astype(np.intp), found.pop("alike") > 0
        if index.size and not 0 <= int(index.min()) <= int(index.max()) < network.audio_width - 2:
            raise ModelError(f"{path}: its mapping names sounds that there are not; give a whole model folder")
        return cls(objects=network.objects, sound_index=index, alike=alike, **found)

    def __call__(self, visual: Float32, audio: Float32, mask: NDArray[np.bool_]) -> Float32:
        """Visual (T, Dv), audio (T, Da), mask (T,) > (4, T, K), how strongly each class is HEARD and SEEN, 0 to 1.

        The first two are on a logarithmic scale, in multiples of what is found where the class is not; the last two
        are evidence as it is, each term of the encoders shared out among the classes that it speaks for.
        """
        known, sounds = self._known(visual), (audio[:, :-2] / _GAIN) ** 2
        voices = self._voices(audio[:, -2] * mask, audio[:, -1])
        by_eye = [np.minimum(known @ weights.T, 1.0) for weights in (self.seen, self.seen / self._sharers_by_eye)]
        by_ear = [
            (sounds[:, self.sound_index] * weights).max(axis=2) * voices  # (T, K, S) > (T, K)
            for weights in (self.sound_weight, self.sound_weight / self._sharers_by_ear)
        ]
        bright = [
            np.log1p(evidence / noise) / np.log1p(1 / noise)
            for evidence, noise in zip((by_ear[0], by_eye[0]), self.noise, strict=True)
        ]
        return np.stack([*bright, by_ear[1], by_eye[1]]).astype(np.float32)

    @property
    def _sharers_by_eye(self) -> NDArray[np.intp]:
        """Of each term by eye (Dv,) the number of classes that it speaks for."""
        return np.asarray(np.maximum((self.seen > 0).sum(axis=0), 1), np.intp)

    @property
    def _sharers_by_ear(self) -> NDArray[np.intp]:
        """The same for the terms (K, S) by ear."""
        there = self.sound_weight > 0
        count = np.bincount(self.sound_index[there], minlength=int(self.sound_index.max(initial=0)) + 1)
        return np.asarray(np.maximum(count[self.sound_index], 1), np.intp)

    def _known(self, visual: Float32) -> Float32:
        """What the encoders know by eye, (T, Dv), 0 to 1."""
        pictures, face, objects = np.split(visual, [visual.shape[1] - self.objects - 1, -self.objects], axis=1)
        p = face.clip(1e-4, 1 - 1e-4)
        odds = np.log(p / (1 - p)) - np.log(_FACE / (1 - _FACE))
        parts = [(pictures / _GAIN) ** 2, 1 / (1 + np.exp(-3 * odds)), objects**2]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _voices(self, voiced: Float32, pitch: Float32) -> Float32:
        """How likely each class's voice is beside the likeliest of its group; 1 for classes without a voice."""
        mean, width, share, group = self.voice.T  # (K,)
        width = np.maximum(width, 1e-3)
        z = (pitch[:, None] - mean) / width
        evidence = (-0.5 * z**2 - np.log(width)) * voiced[:, None]
        log_p = share + _nearby(evidence) / np.maximum(_nearby(voiced[:, None]), 0.02)
        same = (group[:, None] == group[None, :]) & (group > 0)
        best = np.where(same, log_p[:, None, :], -1e4).max(axis=2)  # (T, K)
        return np.where(group > 0, np.exp(2 * np.minimum(log_p - best, 0.0)), 1.0).astype(np.float32)


def _nearby(x: Float32) -> Float32:
    """Mean over the steps in which a voice is listened to, (T, K); there is nothing before the first and the last."""
    kernel = np.full(_PITCH_STEPS, 1 / _PITCH_STEPS, np.float32)
    padded = np.pad(x, ((_PITCH_STEPS // 2,) * 2, (0, 0)))
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1).astype(np.float32)
