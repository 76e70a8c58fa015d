"""The page of results with its figures, from a session's finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.experiments.claims import Judged, judge_all
from avloc.experiments.cost import PUBLIC, other_methods, public_widths
from avloc.experiments.figures import DataPlace, errors, parameters, similarity_figure, timeline, windows
from avloc.experiments.grid import BESIDE, REFERENCE, ROWS, TABLES, PaperTable
from avloc.experiments.learned import errors_table, learned_table
from avloc.experiments.page import FINDINGS, results_page, spread_table
from avloc.experiments.session import Session, wide_costs
from avloc.experiments.tables import Results, result_table
from avloc.files import replace_file
from avloc.recipes.loco import loco_unav100_onepeace
from avloc.report.paper_figures import require_matplotlib, save
from avloc.report.tables import ResultTable
from avloc.zoo import WEIGHTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GLOBAL, _WITHOUT_LCC, _KL, _FIXED = "global", "cdp", "kl", "fixed"
_CSM_VIDEOS = 6
_OF_ERRORS = ("base", "lcc", "cdp", "loco")


def judge_session(session: Session, results: Results) -> list[Judged]:
    """Every claim of the paper against what is done by now."""
    wide = {**wide_costs(session, measure=False), PUBLIC: public_widths(loco_unav100_onepeace())}
    return judge_all(results, wide, other_methods(None, run=False))


def publish(
    session: Session,
    results: Results,
    made: Sequence[tuple[str, ResultTable]],
    judged: Sequence[Judged],
    page: Path,
    command: str,
) -> None:
    """Write the page, its figures as PNG in a folder beside it that has its name, and as SVG too in OUT/figures.

    Raises:
        AvlocError: matplotlib is missing, a run cannot be read, or a file cannot be written.
    """
    require_matplotlib()
    tables = [table for _, table in made]
    tables.append(spread_table(results, (_WITHOUT_LCC, REFERENCE)))
    more = [TABLES[name] for name in BESIDE if TABLES[name] not in session.tables]
    tables += [result_table(table, results) for table in more if _begun(table, results)]
    told = [learned_table(results, list(ROWS)), errors_table(results, _OF_ERRORS)]
    tables += [table for table in told if table is not None]
    page.parent.mkdir(parents=True, exist_ok=True)
    text = results_page(
        session,
        results,
        tables,
        judged,
        command,
        _figures(session, results, page),
        with_findings=(page.parent / FINDINGS).is_file(),
    )
    replace_file(page, text.encode())


def _begun(table: PaperTable, results: Results) -> bool:
    """Whether a row of the table's own has a run."""
    return any(results.scores(row) for row in table.rows if row not in (REFERENCE, _WITHOUT_LCC))


def _figures(session: Session, results: Results, page: Path) -> list[tuple[str, str]]:
    """Figures, (path relative to the page, caption); those that look into networks where weights are there."""
    seed = results.seeds[0]
    done = {run.row: run.folder for run in session.known if run.seed == seed and (run.row, seed) in results.summaries}
    folders = {row: folder for row, folder in done.items() if (folder / WEIGHTS).is_file()}
    shown, kept = page.parent / page.stem, session.out / "figures"
    for folder in (shown, kept):
        folder.mkdir(parents=True, exist_ok=True)
    made = _of_networks(session, folders, seed) if REFERENCE in folders else []
    mistakes = errors(results, _OF_ERRORS)
    if mistakes is not None:
        made.append(("errors", mistakes, "Errors by kind, and true events missed by their length. All seeds."))
    courses = [done[row] for row in (REFERENCE, _FIXED, _GLOBAL, _KL) if row in done]
    if courses:
        words = "LCC over training: sigma, temperature, its two questions, f_v's variance inside videos."
        made.append(("parameters", parameters(courses), f"{words} Seed {seed}."))
    for stem, figure, _ in made:
        png, _ = save(figure, kept / stem)
        replace_file(shown / png.name, png.read_bytes())
    return [(f"{page.stem}/{stem}.png", caption) for stem, _, caption in made]


def _of_networks(session: Session, folders: Mapping[str, Path], seed: int) -> list[tuple[str, Figure, str]]:
    data = session.recipe.data
    place = DataPlace(data.features, data.annotations, session.runs[0].test_split)
    loco = folders[REFERENCE]
    matrices, _ = similarity_figure(loco, folders.get(_WITHOUT_LCC), _CSM_VIDEOS, place)
    both = [folders[row] for row in (_GLOBAL, REFERENCE) if row in folders]
    lines, name = timeline(both, None, place)
    looks, name = windows(loco, name, place)
    return [
        ("csm", matrices, f"Cross-similarity matrices of the first test videos, before and after LCC. Seed {seed}."),
        ("timeline", lines, f"Truth, global attention and LoCo on the video {name}. Seed {seed}."),
        ("windows", looks, f"Learned target windows over the video {name}, by level and head. Seed {seed}."),
    ]
