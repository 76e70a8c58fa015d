"""When the annotations of an EAF document are: times of their own, and times that follow from others.

    TIME_ORDER: slots with a time, and slots without          TIER > ALIGNABLE_ANNOTATION: from slot to slot
                                                              TIER > REF_ANNOTATION: of another annotation

A slot without a time stands between two that have one: in tiers that divide the time of another (Time_Subdivision)
annotations follow one another slot by slot, and ELAN shows those between two times equally long; elsewhere the order
of the slots tells between which. Annotations that refer to another have its time (Symbolic_Association), or share it
equally (Symbolic_Subdivision). What stands behind the last time has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

from avloc.errors import FormatError
from avloc.formats.text import PathLike, as_seconds

_UNITS_S = {
    "milliseconds": 1 / 1000,
    "PAL-frames": 1 / 25,
    "PAL-50-frames": 1 / 50,
    "NTSC-frames": 1001 / 30000,
}
_DIVIDING = "Symbolic_Subdivision"

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation; `span` in seconds of the document, None where nothing tells; `own`: by slots of its own."""

    name: str
    value: str
    span: Span | None
    own: bool


def annotations_by_tier(root: Element, path: PathLike) -> dict[str, list[Annotation]]:
    """The annotations of each tier, in the order of the file.

    Raises:
        FormatError: the unit of time is unknown, or a slot's time is no number.
    """
    tiers = root.findall("TIER")
    slots = _slots(root, path)
    _fill(tiers, slots)
    _fill_by_order(slots)
    spans: dict[str, Span | None] = {
        element.get("ANNOTATION_ID", ""): _span(element, slots)
        for tier in tiers
        for element in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")
    }
    _refer(tiers, spans, _dividing_types(root))
    found: dict[str, list[Annotation]] = {}
    for tier in tiers:
        elements = [element for holder in tier.iterfind("ANNOTATION") for element in holder]
        found.setdefault(tier.get("TIER_ID", ""), []).extend(
            Annotation(
                element.get("ANNOTATION_ID", ""),
                element.findtext("ANNOTATION_VALUE") or "",
                spans.get(element.get("ANNOTATION_ID", "")),
                element.tag == "ALIGNABLE_ANNOTATION",
            )
            for element in elements
        )
    return found


def _slots(root: Element, path: PathLike) -> dict[str | None, float | None]:
    """Seconds of each slot, None for those without a time."""
    header = root.find("HEADER")
    unit = (header.get("TIME_UNITS") if header is not None else None) or "milliseconds"
    if unit not in _UNITS_S:
        raise FormatError(f"{path}: counts time in {unit[:40]!r}; one of {', '.join(_UNITS_S)} is needed")
    slots: dict[str | None, float | None] = {}
    for slot in root.iterfind("TIME_ORDER/TIME_SLOT"):
        name, value = slot.get("TIME_SLOT_ID"), slot.get("TIME_VALUE")
        where = f"{path}, time slot {name}"
        number = None if value is None else as_seconds(value, where, f"a number of {unit}")
        slots[name] = None if number is None else round(number * _UNITS_S[unit], 6)
    return slots


def _span(element: Element, slots: Mapping[str | None, float | None]) -> Span | None:
    start_s, end_s = (slots.get(element.get(f"TIME_SLOT_REF{i}")) for i in (1, 2))
    return None if start_s is None or end_s is None else (start_s, end_s)


def _fill(tiers: Iterable[Element], slots: dict[str | None, float | None]) -> None:
    """Times for slots without one, tier by tier until none follows from another any more."""
    pairs = [
        {
            element.get("TIME_SLOT_REF1"): element.get("TIME_SLOT_REF2")
            for element in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")
        }
        for tier in tiers
    ]
    changed = True
    while changed:
        changed = False
        for next_slot in pairs:
            for first in next_slot:
                chain = _chain(first, next_slot, slots)
                if len(chain) > 2:
                    _spread(chain, slots)
                    changed = True


def _chain(
    first: str | None, next_slot: Mapping[str | None, str | None], slots: Mapping[str | None, float | None]
) -> list[str | None]:
    """From a slot with a time, over slots without, to the next slot with one; empty where there is none."""
    if slots.get(first) is None:
        return []
    chain = [first]
    while (after := next_slot.get(chain[-1])) is not None and len(chain) <= len(next_slot):
        chain.append(after)
        if slots.get(after) is not None:
            return chain
    return []


def _spread(chain: list[str | None], slots: dict[str | None, float | None]) -> None:
    first, last = slots[chain[0]], slots[chain[-1]]
    assert first is not None and last is not None
    step = (last - first) / (len(chain) - 1)
    for number, slot in enumerate(chain[1:-1], 1):
        slots[slot] = round(first + number * step, 6)


def _fill_by_order(slots: dict[str | None, float | None]) -> None:
    """Times for slots that no tier chains to others."""
    chain: list[str | None] = []
    for slot, time_s in list(slots.items()):
        if time_s is None:
            chain += [slot] if chain else []
        else:
            if len(chain) > 1:
                _spread([*chain, slot], slots)
            chain = [slot]


def _dividing_types(root: Element) -> set[str | None]:
    types = root.iterfind("LINGUISTIC_TYPE")
    return {kind.get("LINGUISTIC_TYPE_ID") for kind in types if kind.get("CONSTRAINTS") == _DIVIDING}


def _refer(tiers: Iterable[Element], spans: dict[str, Span | None], dividing: set[str | None]) -> None:
    """Spans of annotations that refer to others, which may refer to others again."""
    waiting: dict[tuple[int, str], tuple[bool, list[Element]]] = {}
    for number, tier in enumerate(tiers):
        divides = tier.get("LINGUISTIC_TYPE_REF") in dividing
        for element in tier.iterfind("ANNOTATION/REF_ANNOTATION"):
            parent = element.get("ANNOTATION_REF", "")
            waiting.setdefault((number, parent), (divides, []))[1].append(element)
    while ready := [key for key in waiting if key[1] in spans]:
        for key in ready:
            divides, children = waiting.pop(key)
            parts = _parts(spans[key[1]], len(children) if divides else 1)
            for place, child in enumerate(_in_order(children)):
                spans[child.get("ANNOTATION_ID", "")] = parts[place if divides else 0]


def _parts(span: Span | None, count: int) -> list[Span | None]:
    if span is None:
        return [None] * count
    step = (span[1] - span[0]) / count
    ends = [round(span[0] + number * step, 6) for number in range(count)] + [span[1]]
    return list(pairwise(ends))


def _in_order(children: list[Element]) -> list[Element]:
    """Annotations of one parent, each behind the one that it names as the one before."""
    after = {child.get("PREVIOUS_ANNOTATION"): child for child in children}
    ordered: list[Element] = []
    before: str | None = None
    while (child := after.pop(before, None)) is not None:
        ordered.append(child)
        before = child.get("ANNOTATION_ID")
    return ordered if len(ordered) == len(children) else children
