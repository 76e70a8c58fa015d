"""The tables of a diagnosis as HTML: groups of events, distractors, confused classes, all classes."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.diagnosis import ClassRow, Diagnosis
from avloc.evaluation.kinds import Kind
from avloc.evaluation.modality import ModalityProfile
from avloc.evaluation.sensitivity import Characteristic, Group
from avloc.report.diagnosis_words import NAMES, counted, percent, thresholds
from avloc.report.figures import Part, bar


def section(title: str, lead: str, body: str) -> str:
    """A card of the page; `body` is HTML, the others are text."""
    return f'<section class="card"><h2>{escape(title)}</h2><p class="lead">{escape(lead)}</p>{body}</section>'


def sensitivity_html(d: Diagnosis) -> str:
    if not d.truths:
        return ""
    panels = "".join(_characteristic(c, d) for c in d.characteristics)
    m = d.missed
    lead = (
        f"Left, mAP on the events of a group, as if every class had equally many of them ({thresholds(d)}; the line "
        f"marks that of all events, {percent(d.normalized)}). Right, the per cent of them that no detection matches "
        f"at tIoU {d.threshold:g}."
    )
    why = (
        f"Of {counted(m.total, 'missed event')}: {m.misplaced:,} with a detection of the class nearby (tIoU of 0.1 "
        f"or more), {m.mislabelled:,} with another class alone in the place, {m.unnoticed:,} with neither."
    )
    foot = f'<p class="foot">{why}</p>' if m.total else ""
    return section("Which events are hard", lead, f'<div class="panels">{panels}</div>{foot}')


def _characteristic(c: Characteristic, d: Diagnosis) -> str:
    rows = "".join(_group(g, d.normalized) for g in c.groups)
    return (
        f'<div class="panel"><h3>{escape(c.name)} <small>{escape(c.meaning)}</small></h3>'
        '<table class="groups"><thead><tr><th scope="col">Group</th><th scope="col" class="n">Events</th>'
        f'<th scope="col">mAP</th><th scope="col">Missed</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _group(g: Group, overall: float) -> str:
    ap, lost = "<td></td>", "<td></td>"
    if g.normalized is not None:
        value = percent(g.normalized)
        ap = _measure(Part(g.normalized, "k0", f"mAP {value}"), 1.0, value, overall)
        lost = _measure(
            Part(g.missed_share, "k2", f"{g.missed:,} of {g.truths:,} missed"), 1.0, percent(g.missed_share)
        )
    return f'<tr><th scope="row">{escape(g.span)}</th><td class="n">{g.truths:,}</td>{ap}{lost}</tr>'


def modality_html(m: ModalityProfile | None) -> str:
    """Where false positives lie on what is only seen or only heard; nothing where that is unknown."""
    if m is None:
        return ""
    total = int(m.false_positives.sum())
    kinds = [
        ("seen only", "same class", m.seen_only.same_label, m.seen_only.same_gain, "seen"),
        ("heard only", "same class", m.heard_only.same_label, m.heard_only.same_gain, "heard"),
        ("seen only", "another class", m.seen_only.other_label, m.seen_only.other_gain, "seen pale"),
        ("heard only", "another class", m.heard_only.other_label, m.heard_only.other_gain, "heard pale"),
        ("neither", "", m.neither, None, "k5"),
    ]
    rows = "".join(_misled(m, *kind) for kind in kinds)
    lead = (
        f"{counted(total, 'false positive')} in {counted(m.videos, 'video')} where it is known what is only seen "
        f"({counted(m.seen_only.distractors, 'distractor')}) or only heard ({m.heard_only.distractors:,}). Shares "
        "of them that lie on such a distractor, by half of their length or more. Where the class is the same, "
        "the modality misled; where it is another, it may be chance."
    )
    table = (
        '<table class="misled"><thead><tr><th scope="col">On what is</th><th scope="col">Among the surest G</th>'
        '<th scope="col">Among all 10 G</th><th scope="col" class="n">mAP without</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return section("Which modality misled", lead, table)


def _misled(
    m: ModalityProfile, name: str, words: str, counts: NDArray[np.int64], gain: float | None, colour: str
) -> str:
    cells = ""
    for depth, among in ((1, "the surest G"), (len(counts), "10 G")):
        part, whole = int(counts[:depth].sum()), int(m.false_positives[:depth].sum())
        share = part / whole if whole else 0.0
        text = f"{name} {words}: {part:,} of {whole:,} among {among}"
        cells += _measure(Part(share, colour, text), 1.0, f"{percent(share)} %" if whole else "")
    better = "" if gain is None else f"+{percent(gain, 2)}"
    small = f"<small>{words}</small>" if words else ""
    return f'<tr><th scope="row">{name} {small}</th>{cells}<td class="n">{better}</td></tr>'


def confused_html(d: Diagnosis) -> str:
    if not d.confused:
        return ""
    top = d.confused[0].count
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(c.true)}</bdi></th><td class="as"><bdi>{escape(c.given)}</bdi></td>'
        f"{_measure(Part(c.count, 'k2', counted(c.count, 'detection')), top, f'{c.count:,}')}</tr>"
        for c in d.confused
    )
    lead = (
        "Pairs of classes by the number of detections of wrong label or confusion; "
        "the true event is the one that overlaps most."
    )
    table = (
        '<table class="confused"><thead><tr><th scope="col">True class</th><th scope="col">was called</th>'
        f'<th scope="col">Detections</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    return section("What is taken for what", lead, table)


def classes_html(d: Diagnosis) -> str:
    if not d.classes:
        return ""
    rows = "".join(_class(row) for row in sorted(d.classes, key=lambda row: (row.ap, row.label)))
    lead = f"The hardest first. AP is the {thresholds(d)}; the bar shows what the 10 G surest detections are."
    table = (
        '<table class="classes"><thead><tr><th scope="col">Class</th><th scope="col" class="n">Events</th>'
        '<th scope="col" class="n lost">Missed</th><th scope="col" class="ap">AP</th>'
        f'<th scope="col">Detections</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    return section("Classes", lead, table)


def _class(row: ClassRow) -> str:
    total = int(row.kinds.sum())
    parts = [Part(int(n), f"k{kind}", f"{NAMES[kind]}: {n:,}") for kind, n in zip(Kind, row.kinds, strict=True)]
    words = ", ".join(part.words for part in parts if part.size) or "no detections"
    ap = percent(row.ap)
    return (
        f'<tr><th scope="row"><bdi>{escape(row.label)}</bdi></th><td class="n">{row.truths:,}</td>'
        f'<td class="n lost">{row.missed:,}</td>{_measure(Part(row.ap, "k0", f"AP {ap}"), 1.0, ap)}'
        f"<td>{bar(parts, total, words)}</td></tr>"
    )


def _measure(part: Part, whole: float, value: str, mark: float | None = None) -> str:
    return f"<td>{bar([part], whole, part.words, mark)}<span>{value}</span></td>"
