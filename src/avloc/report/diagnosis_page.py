"""One HTML file that shows what goes wrong in detections: all is inside, nothing is fetched, no script runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template
from urllib.parse import quote

from avloc.evaluation.diagnosis import Diagnosis
from avloc.evaluation.kinds import ERRORS, Kind
from avloc.files import replace_file
from avloc.report.diagnosis_tables import classes_html, confused_html, modality_html, section, sensitivity_html
from avloc.report.diagnosis_words import NAMES, counted, headline, percent, thresholds
from avloc.report.figures import Line, Part, bar, plot

_LEAST_GAIN = 0.0005  # what rounds to +0.0 is no cost to speak of


def write_diagnosis(
    path: str | os.PathLike[str], diagnosis: Diagnosis, *, title: str, metadata: Mapping[str, str]
) -> None:
    """Write the page of a diagnosis.

    metadata: facts shown under the title, name -> value.

    Raises:
        OutputError: the file cannot be written.
    """
    sections = [
        _tiles(diagnosis),
        _profile(diagnosis),
        _cost(diagnosis),
        sensitivity_html(diagnosis),
        modality_html(diagnosis.modality),
        confused_html(diagnosis),
        classes_html(diagnosis),
    ]
    text = Template(_static("diagnosis.html")).substitute(
        title=escape(title),
        summary=escape(headline(diagnosis)),
        icon=quote(_static("mark.svg"), safe=""),
        mark=_static("mark.svg"),
        style=_static("page.css") + "\n" + _static("diagnosis.css"),
        facts="".join(f"<div><dt>{escape(k)}</dt><dd><bdi>{escape(v)}</bdi></dd></div>" for k, v in metadata.items()),
        sections="\n".join(part for part in sections if part),
    )
    replace_file(path, text.encode("utf-8", "replace"))


def _tiles(d: Diagnosis) -> str:
    tiles = [("mAP", percent(d.mean_ap), thresholds(d))]
    if d.mean_gain.max() >= _LEAST_GAIN:
        costliest = ERRORS[int(d.mean_gain.argmax())]
        tiles.append((f"{NAMES[costliest]} costs most", f"+{percent(float(d.mean_gain.max()))}", "mAP without it"))
    if d.truths:
        tiles.append(
            (
                "Missed",
                f"{percent(d.missed.total / d.truths)} %",
                f"of {counted(d.truths, 'event')}, by any detection",
            )
        )
    if d.modality is not None and d.modality.false_positives[0]:
        m = d.modality
        pairs = ((int(m.seen_only.same_label[0]), "seen"), (int(m.heard_only.same_label[0]), "heard"))
        worse, name = max(pairs, key=lambda pair: pair[0])
        share = worse / int(m.false_positives[0])
        tiles.append(
            (f"Misled by what is only {name}", f"{percent(share)} %", "of false positives among the surest G")
        )
    body = "".join(
        f'<div class="tile"><h2>{escape(name)}</h2><p class="big">{escape(value)}</p><p class="quiet">{escape(words)}'
        "</p></div>"
        for name, value, words in tiles
    )
    return f'<section class="tiles" aria-label="In short">{body}</section>'


def _profile(d: Diagnosis) -> str:
    definitions = {
        Kind.TRUE: f"right class, tIoU of {d.threshold:g} or more, not found before",
        Kind.DOUBLE: "would be right, but a surer detection has it already",
        Kind.WRONG_LABEL: f"tIoU of {d.threshold:g} or more with an event of another class",
        Kind.LOCALIZATION: f"right class, but tIoU below {d.threshold:g}",
        Kind.CONFUSION: f"another class, and tIoU below {d.threshold:g}",
        Kind.BACKGROUND: "tIoU below 0.1 with every event",
    }
    legend = "".join(
        f'<li class="k{kind}"><b class="dot"></b><span><strong>{NAMES[kind]}</strong> '
        f"<small>{definitions[kind]}</small></span>"
        f"<output>{percent(d.kinds[kind] / d.considered) if d.considered else '0.0'} %</output></li>"
        for kind in Kind
    )
    rows = ""
    for band, counts in enumerate(d.profile.tolist()):
        total = sum(counts)
        if band and not d.profile[band:].any():
            break
        parts = [
            Part(n, f"k{kind}", f"{NAMES[kind]}: {n:,} of {total:,} ({percent(n / total)} %)")
            for kind, n in zip(Kind, counts, strict=True)
            if total
        ]
        words = ", ".join(part.words for part in parts if part.size) or "no detections"
        rows += _row(
            f"{band + 1} G" if band else "surest G",
            bar(parts, total, words),
            percent(counts[0] / total) if total else "",
        )
    lead = (
        "The surest detections of each class, in steps of G, the number of its true events: "
        "what they are, and, on the right, how many per cent of them are true."
    )
    return section(
        "What the detections are", lead, f'<div class="split"><div class="bars">{rows}</div><ul>{legend}</ul></div>'
    )


def _cost(d: Diagnosis) -> str:
    top = max(float(d.mean_gain.max()), 1e-9)
    rows = "".join(
        _row(
            f'<b class="dot"></b>{NAMES[kind]}',
            bar([Part(gain, f"k{kind}", f"{NAMES[kind]}: +{percent(gain, 2)}")], top, f"+{percent(gain, 2)}"),
            f"+{percent(gain, 2)}",
            f"k{kind}",
        )
        for kind, gain in zip(ERRORS, d.mean_gain.tolist(), strict=True)
    )
    figure = f'<div class="bars wide">{rows}</div>'
    if len(d.thresholds) > 1:
        lines = [Line((100 * d.gain[:, i]).tolist(), f"k{kind}", NAMES[kind]) for i, kind in enumerate(ERRORS)]
        names = [f"{t:.3g}" for t in d.thresholds]
        figure = (
            f'<div class="split even">{figure}<figure>{plot(lines, names, "Gain in mAP at each threshold of tIoU")}'
            "<figcaption>gain at each threshold of tIoU</figcaption></figure></div>"
        )
    lead = (
        f"By how many points mAP of {percent(d.mean_ap)} ({thresholds(d)}) grows when the errors of one kind among "
        "these detections are taken away. At each threshold, errors are what they are at that threshold."
    )
    return section("What each error costs", lead, figure)


def _row(name: str, figure: str, value: str, colour: str = "") -> str:
    return (
        f'<div class="line {colour}"><span class="name">{name}</span>{figure}<span class="value">{value}</span></div>'
    )


def _static(name: str) -> str:
    return resources.files("avloc.report").joinpath("static", name).read_text(encoding="utf-8").strip()
