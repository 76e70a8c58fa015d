"""Events: what detector, truth, formats and evaluation speak; how they are chosen from; how they show themselves."""

from __future__ import annotations

from avloc.events.event import Event, Events, FloatArray

__all__ = ["Event", "Events", "FloatArray"]
