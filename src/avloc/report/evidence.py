"""How surely an event is seen, and how surely heard: optional, beside its score."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """Certainty by eye and by ear, 0 to 1 each."""

    visual: float
    audio: float


def evidence_cells(evidence: Evidence | None) -> str:
    """Two cells of a table; empty where nothing is known."""
    told = ("", "") if evidence is None else (f"{evidence.visual:.2f}", f"{evidence.audio:.2f}")
    return "".join(f'<td class="seen">{text}</td>' for text in told)
