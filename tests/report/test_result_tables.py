"""Tables of results in three renderings."""

from rich.console import Console

from avloc.report.tables import Cell, ResultTable, mark_best, to_latex, to_markdown, to_terminal

TABLE = ResultTable(
    "Table 9: 50 % of A & B",
    ("what_", "0.5", "Avg."),
    ((Cell("a|b"), Cell("10.0 ± 1.0", best=True), Cell("3.0")), (Cell("c_d"), Cell("missing"), Cell(""))),
    notes=("A note.",),
)


def test_markdown() -> None:
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "### Table 9: 50 % of A & B"
    assert lines[2:6] == [
        "| what_ | 0.5 | Avg. |",
        "| :--- | ---: | ---: |",
        r"| a\|b | **10.0 ± 1.0** | 3.0 |",
        "| c_d | missing |  |",
    ]
    assert lines[-1] == "A note."


def test_latex_escapes_what_would_be_a_command() -> None:
    text = to_latex(TABLE, "nine")
    assert r"\caption{Table 9: 50 \% of A \& B. A note.}" in text
    assert r"\begin{tabular}{lrr}" in text and r"what\_ & 0.5 & Avg. \\" in text
    assert r"a|b & \textbf{10.0 $\pm$ 1.0} & 3.0 \\" in text
    assert text.count(r"\\") == 3 and text.count("{") == text.count("}")


def test_terminal_shows_every_cell() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(to_terminal(TABLE))
    shown = captured.get()
    assert all(cell.text in shown for line in TABLE.lines for cell in line) and "A note." in shown


def test_the_best_of_each_column() -> None:
    assert mark_best([[1.0, 2.0, None], [None, 3.0, None], [2.0, 2.0, 1.0]]) == [
        [False, True, False],
        [False, False, False],
        [True, True, False],
    ]
