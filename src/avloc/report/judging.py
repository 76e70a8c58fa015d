"""What a page needs so that a person can judge the events on it, and keep and save the verdicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from avloc.report.timeline import tone


@dataclass(frozen=True, slots=True)
class Judging:
    """name of the video as its result has it, the mark of the result, and the classes that an event may be of."""

    name: str
    mark: str
    classes: Sequence[str] = ()

    def data(self) -> str:
        """An element that the script reads: {"name", "mark", "classes": [[label, hue, lightness step], ...]}."""
        body = {"name": self.name, "mark": self.mark, "classes": [[label, *tone(label)] for label in self.classes]}
        # "<" alone could end the script or open a comment in it.
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        return f'<script type="application/json" id="review-data">{text}</script>'
