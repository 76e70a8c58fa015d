"""Which modality an event is of, told by its class: "Speech (audio)" is heard, "Speech (visual)" is seen.

A class without such an ending, and one with the ending (audio-visual), is of both at once. So a data set that labels
modalities apart has twice the classes, and all that works on classes works on it.
"""

from __future__ import annotations

AUDIO, VISUAL, BOTH = "audio", "visual", "audio-visual"

_WORDS = {
    **dict.fromkeys(("audio", "a", "sound", "heard"), AUDIO),
    **dict.fromkeys(("visual", "v", "video", "vision", "seen"), VISUAL),
    **dict.fromkeys(("audio-visual", "audiovisual", "audio visual", "audio_visual", "av", "both"), BOTH),
}


def modality_named(text: str) -> str | None:
    """AUDIO, VISUAL or BOTH by any usual word for it, such as A, V and AV; None where it is none."""
    return _WORDS.get(text.strip().lower())


def with_modality(label: str, modality: str) -> str:
    """The class of an event of one modality: Speech > Speech (audio)."""
    return f"{label} ({modality})"


def without_modality(label: str) -> tuple[str, str]:
    """The class alone, and AUDIO, VISUAL or BOTH: "Speech (audio)" > "Speech", "audio"."""
    for modality in (AUDIO, VISUAL, BOTH):
        ending = f" ({modality})"
        if label.endswith(ending) and len(label) > len(ending):
            return label.removesuffix(ending), modality
    return label, BOTH
