"""Tables of results: one form, rendered for a terminal, in Markdown and in LaTeX (booktabs)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "λ": r"$\lambda$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
    "−": "$-$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table; `best` is set in bold."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table as it is read: title, heads, lines of cells, notes below.

    Attributes:
        words: How many of the first columns hold words and are set to the left; the others hold numbers.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[tuple[Cell, ...], ...]
    words: int = 1
    notes: tuple[str, ...] = ()


def to_terminal(table: ResultTable) -> Table:
    """A rich renderable."""
    shown = Table(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, head in enumerate(table.heads):
        if i < table.words:
            shown.add_column(head, overflow="fold", min_width=min(12, max(len(line[i].text) for line in table.lines)))
        else:
            shown.add_column(head, justify="right", no_wrap=True)
    for line in table.lines:
        shown.add_row(*(Text(cell.text, style="bold" if cell.best else "") for cell in line))
    if table.notes:
        shown.caption, shown.caption_justify = Text("\n".join(table.notes)), "left"
    return shown


def to_markdown(table: ResultTable, level: int = 3) -> str:
    """A heading, a pipe table, and the notes as a paragraph each."""
    lines = [f"{'#' * level} {table.title}", "", _pipes(table.heads)]
    lines.append(_pipes([":---" if i < table.words else "---:" for i in range(len(table.heads))]))
    lines += [
        _pipes([f"**{_piped(c.text)}**" if c.best and c.text else _piped(c.text) for c in line])
        for line in table.lines
    ]
    for note in table.notes:
        lines += ["", note]
    return "\n".join(lines) + "\n"


def to_latex(table: ResultTable, label: str) -> str:
    """A table environment for a document that loads booktabs."""
    form = "l" * table.words + "r" * (len(table.heads) - table.words)
    caption = _escaped(". ".join([table.title, *(note.rstrip(".") for note in table.notes)]) + ".")
    body = [
        " & ".join(rf"\textbf{{{_escaped(c.text)}}}" if c.best and c.text else _escaped(c.text) for c in line)
        + r" \\"
        for line in table.lines
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{form}}}",
            r"\toprule",
            " & ".join(_escaped(head) for head in table.heads) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def mark_best(columns: Sequence[Sequence[float | None]]) -> list[list[bool]]:
    """For each column of values, which are its greatest; what is missing is not."""
    marks = []
    for values in columns:
        known = [v for v in values if v is not None]
        top = max(known, default=None)
        marks.append([v is not None and v == top and len(known) > 1 for v in values])
    return marks


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _piped(text: str) -> str:
    return text.replace("|", r"\|")


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)
