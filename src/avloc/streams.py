"""Streams: what features of a video consist of, and whose making each of them is.

An identity is the name of a maker and the number of its making, as in `avloc-embedded/3`. It stands for one stream
alone: when one is made anew, the others stay what they were, and so does every model that reads only those.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from avloc.errors import FeatureError

STREAMS = ("visual", "audio", "visual_scores", "audio_scores", "cues")
"""Embeddings of pictures and of sound, the encoders' class scores of both, and further measurements."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The identity of each stream; "" for one that is not there, or is not read."""

    visual: str = ""
    audio: str = ""
    visual_scores: str = ""
    audio_scores: str = ""
    cues: str = ""

    @classmethod
    def all(cls, identity: str) -> Streams:
        """One identity for every stream."""
        return cls(**dict.fromkeys(STREAMS, identity))

    def items(self) -> tuple[tuple[str, str], ...]:
        """Name and identity of the streams that are there."""
        return tuple((f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name))

    def only(self, *names: str) -> Streams:
        """The streams of these names alone."""
        return Streams(**{name: getattr(self, name) for name in names})

    def unlike(self, other: Streams) -> tuple[str, ...]:
        """Names of the streams that are here and that `other` lacks, or has of another making."""
        return tuple(name for name, identity in self.items() if getattr(other, name) != identity)

    def require(self, given: Streams, what: str) -> None:
        """Hold what a model reads, `self`, against features that are called `what` when they do not fit.

        Raises:
            FeatureError: a stream that is read is missing, or of another making.
        """
        if unlike := self.unlike(given):
            raise FeatureError(f"{what} are of {given.only(*unlike)}, the model reads {self.only(*unlike)}")

    def __str__(self) -> str:
        named: dict[str, list[str]] = {}
        for name, identity in self.items():
            named.setdefault(identity, []).append(name)
        return "; ".join(f"{identity} ({', '.join(names)})" for identity, names in named.items()) or "nothing"
