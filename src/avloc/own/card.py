"""The card of a model that was trained on one's own labels: what it knows, how it was measured, where it ends."""

from __future__ import annotations

from pathlib import Path

from avloc import zoo
from avloc.config import ClassFigure, ClassFigures
from avloc.files import replace_file
from avloc.own.check import FEW_EVENTS, OwnReport
from avloc.own.config import OwnConfig
from avloc.own.figures import Figures


def write_card(
    folder: Path,
    config: OwnConfig,
    report: OwnReport,
    trained_on: int,
    how: str,
    figures: Figures | None,
    test: Figures | None,
    show_score: float,
) -> None:
    """Write README.md of a model folder, and the figures of its classes for `avloc labels`.

    Raises:
        OutputError: it cannot be written.
    """
    how_made = "trained anew, on the network of" if config.from_scratch else "fine-tuned from"
    start = f"{how_made} {_plain(Path(config.start).name)}"
    lines = [
        f"# {_plain(folder.name)}",
        "",
        f"A model of avloc for {len(report.classes)} classes, {start} on {trained_on} labelled videos.",
        "",
        f"    avloc detect video.mp4 --model {folder.name}/",
        "",
        "## Data",
        "",
        f"{report.videos} videos, {report.seconds / 60:.1f} minutes, {report.events} events; "
        f"{report.without_event} videos without any event. Events are {report.event_s.least:.1f} to "
        f"{report.event_s.most:.1f} s long, {report.event_s.median:.1f} s in the median.",
        "",
        "## Figures",
        "",
        *_figures(how, figures, test),
        f"Events of a score of at least {show_score:g} are shown: "
        + ("there F1 at tIoU 0.5 was highest." if figures else "the threshold of the model to start from."),
        "",
        *_classes(report, figures),
        "",
        "## Limits",
        "",
        "- The figures hold for videos like the labelled ones: other places, cameras or seasons may be harder.",
        *_few(report),
        "- Scores are comparable within the model; they are not probabilities.",
        "- Who made the labels, from which videos, and under which licence they may be used: to be written here.",
    ]
    replace_file(folder / "README.md", ("\n".join(lines) + "\n").encode())
    measured = {label: ClassFigure(average_map=share) for label, share in figures.by_label.items()} if figures else {}
    told = f"{figures.videos} of its own labelled videos ({how})" if figures else "nothing"
    zoo.write_figures(folder, ClassFigures(told, measured, tuple(report.classes)))


def _figures(how: str, figures: Figures | None, test: Figures | None) -> list[str]:
    if figures is None:
        return ["Not measured: no video was held out. Label some more, and measure them with `avloc evaluate`.", ""]
    rows = [
        "| measured on | videos | events | mAP at tIoU 0.5 | average mAP (0.1 to 0.9) |",
        "|---|---|---|---|---|",
        _row(how, figures),
        *([_row("test videos", test)] if test else []),
        "",
    ]
    if figures.folds:
        rows += [
            f"Average mAP of single folds: {100 * figures.fold_mean:.1f} ± {100 * figures.fold_spread:.1f} (mean and "
            "standard deviation). Each fold was found by a model that had not seen its videos; the model in this "
            "folder was then trained on all of them.",
            "",
        ]
    return rows


def _row(what: str, f: Figures) -> str:
    return f"| {what} | {f.videos} | {f.events} | {100 * f.at_half:.1f} | {100 * f.average:.1f} |"


def _classes(report: OwnReport, figures: Figures | None) -> list[str]:
    measured = figures.by_label if figures else {}
    rows = ["| class | events | videos | average mAP |", "|---|---|---|---|"]
    for label, count in report.classes.items():
        score = f"{100 * measured[label]:.1f}" if label in measured else "-"
        rows.append(f"| {_plain(label)} | {count.events} | {count.videos} | {score} |")
    return rows


def _few(report: OwnReport) -> list[str]:
    if not report.few:
        return []
    named = ", ".join(_plain(label) for label in report.few)
    return [f"- Fewer than {FEW_EVENTS} events, too few to learn or to measure: {named}."]


def _plain(text: str) -> str:
    """Text of others as text: nothing of it is Markdown or HTML."""
    kept = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in kept)
