"""Network inputs > how strongly each class is heard and seen, step by step: the default model's mapping, in numpy.

It is `avloc.models.grounded.Grounding` and `brightness`, whose constants lie in the model's weights; a test holds the
two against one another. Beside that it tells of each class what it need not share: a face speaks for twenty classes
of people, and so for each of them by itself only a little; a saxophone for one.

Legend: T time, K classes, S sound classes of one class (padded), Dv and Da widths of the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

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
    """Constants of a model; shapes as in `avloc.models.grounded.Grounding`.

    generic_sound and generic_sight are 1 for what goes with anything and speaks against no class, unmeant_sound and
    unmeant_sight for all else that no class means; a model made before there were any has none.
    """

    objects: int
    seen: Float32
    sound_index: NDArray[np.intp]
    sound_weight: Float32
    voice: Float32
    alike: NDArray[np.bool_]
    noise: Float32
    generic_sound: Float32
    generic_sight: Float32
    unmeant_sound: Float32
    unmeant_sight: Float32

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
        path, K, Dv, Da = folder / zoo.WEIGHTS, network.classes, network.visual_width, network.audio_width - 2
        shapes: dict[str, tuple[int, ...]] = {
            "seen": (K, Dv), "sound_index": (K, network.sounds), "sound_weight": (K, network.sounds),
            "voice": (K, 4), "alike": (K, K), "noise": (2, K),
        }  # fmt: skip
        later = {"generic_sound": Da, "generic_sight": Dv, "unmeant_sound": Da, "unmeant_sight": Dv}
        try:
            with safe_open(path, framework="numpy") as file:
                names = set(file.keys())
                shapes |= {name: (width,) for name, width in later.items() if _PREFIX + name in names}
                found = {name: file.get_tensor(_PREFIX + name).astype(np.float32) for name in shapes}
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path}: cannot be read as weights ({error}); give a whole model folder") from None
        if any(found[name].shape != shape for name, shape in shapes.items()):
            raise ModelError(f"{path}: its mapping does not fit the model's config; give a whole model folder")
        return cls.of({name: np.zeros(width) for name, width in later.items()} | found, network, path)

    @classmethod
    def of(cls, constants: Mapping[str, NDArray[Any]], network: GroundedConfig, path: Path) -> Grounding:
        """Of constants at hand, by their names in the torch network; `path` is named where they are wrong.

        Raises:
            ModelError: they name sounds that there are not.
        """
        found = {f.name: np.asarray(constants[f.name], np.float32) for f in fields(cls) if f.name != "objects"}
        index, alike = found.pop("sound_index").astype(np.intp), found.pop("alike") > 0
        if index.size and not 0 <= int(index.min()) <= int(index.max()) < network.audio_width - 2:
            raise ModelError(f"{path}: its mapping names sounds that there are not; give a whole model folder")
        return cls(objects=network.objects, sound_index=index, alike=alike, **found)

    def sounds(self, audio: Float32) -> Float32:
        """What the encoders hear, (T, Da - 2), 0 to 1."""
        return np.asarray((audio[:, :-2] / _GAIN) ** 2, np.float32)

    def heard(self, sounds: Float32, weight: Float32) -> Float32:
        """Of each class the strongest of its terms, which weigh (K, S): (T, K)."""
        return np.asarray((sounds[:, self.sound_index] * weight).max(axis=2), np.float32)  # (T, K, S) > (T, K)

    def of_sights(self, sights: Float32, weight: Float32) -> Float32:
        """Of each class all of its terms together, which weigh (K, Dv): (T, K)."""
        return np.asarray(np.minimum(sights @ weight.T, 1.0), np.float32)

    def voices(self, audio: Float32, mask: NDArray[np.bool_]) -> Float32:
        """How well each class's voice fits the pitch, (T, K); 1 for classes without a voice."""
        return self._voices(audio[:, -2] * mask, audio[:, -1])

    def __call__(self, visual: Float32, audio: Float32, mask: NDArray[np.bool_]) -> Float32:
        """Visual (T, Dv), audio (T, Da), mask (T,) > (4, T, K), how strongly each class is HEARD and SEEN, 0 to 1.

        The first two are on a logarithmic scale, in multiples of what is found where the class is not; the last two
        are evidence as it is, each term of the encoders shared out among the classes that it speaks for.
        """
        sights, sounds, voices = self.sights(visual), self.sounds(audio), self.voices(audio, mask)
        by_eye = [self.of_sights(sights, weights) for weights in (self.seen, self._share_by_eye)]
        weights_by_ear = (self.sound_weight, self._share_by_ear)
        by_ear = [self.heard(sounds, weights) * voices for weights in weights_by_ear]
        bright = [
            np.log1p(evidence / noise) / np.log1p(1 / noise)
            for evidence, noise in zip((by_ear[0], by_eye[0]), self.noise, strict=True)
        ]
        return np.stack([*bright, by_ear[1], by_eye[1]]).astype(np.float32)

    @property
    def _share_by_eye(self) -> Float32:
        """Weights (K, Dv), each term by eye shared out among the classes that it speaks for."""
        return np.asarray(self.seen / np.maximum((self.seen > 0).sum(axis=0), 1), np.float32)

    @property
    def _share_by_ear(self) -> Float32:
        """The same of the terms (K, S) by ear."""
        there = self.sound_weight > 0
        count = np.bincount(self.sound_index[there], minlength=int(self.sound_index.max(initial=0)) + 1)
        return np.asarray(self.sound_weight / np.maximum(count[self.sound_index], 1), np.float32)

    def sights(self, visual: Float32) -> Float32:
        """What the encoders see, (T, Dv), 0 to 1."""
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
