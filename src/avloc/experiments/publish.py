"""The page of results with its figures, from a session's finished runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avloc.experiments.claims import Judged, judge_all
from avloc.experiments.cost import other_methods
from avloc.experiments.figures import DataPlace, parameters, similarity_figure, timeline, windows
from avloc.experiments.grid import REFERENCE, TABLES
from avloc.experiments.page import FINDINGS, results_page, spread_table
from avloc.experiments.session import Session, wide_costs
from avloc.experiments.tables import Results, result_table
from avloc.files import replace_file
from avloc.report.paper_figures import require_matplotlib, save
from avloc.report.tables import ResultTable

_GLOBAL, _WITHOUT_LCC, _KL, _FIXED = "global", "cdp", "kl", "fixed"
_CSM_VIDEOS = 6


def judge_session(session: Session, results: Results) -> list[Judged]:
    """Every claim of the paper against what is done by now."""
    return judge_all(results, wide_costs(session, measure=False), other_methods(None, run=False))


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
    readings = TABLES["readings"]
    if any(results.scores(row) for row in readings.rows if row != REFERENCE):
        tables.append(result_table(readings, results))
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


def _figures(session: Session, results: Results, page: Path) -> list[tuple[str, str]]:
    """Figures of the first seed, (path relative to the page, caption); of rows that are not done, none."""
    seed = results.seeds[0]
    folders = {
        run.row: run.folder for run in session.known if run.seed == seed and (run.row, seed) in results.summaries
    }
    if REFERENCE not in folders:
        return []
    shown, kept = page.parent / page.stem, session.out / "figures"
    for folder in (shown, kept):
        folder.mkdir(parents=True, exist_ok=True)
    data = session.recipe.data
    place = DataPlace(data.features, data.annotations, session.runs[0].test_split)
    loco = folders[REFERENCE]
    made = []
    matrices, _ = similarity_figure(loco, folders.get(_WITHOUT_LCC), _CSM_VIDEOS, place)
    made.append(("csm", matrices, "Cross-similarity matrices of the first test videos, before and after LCC."))
    both = [folders[row] for row in (_GLOBAL, REFERENCE) if row in folders]
    lines, name = timeline(both, None, place)
    made.append(("timeline", lines, f"Truth, global attention and LoCo on the video {name}."))
    looks, name = windows(loco, name, place)
    made.append(("windows", looks, f"Learned target windows over the video {name}, by level and head."))
    courses = [folders[row] for row in (REFERENCE, _FIXED, _GLOBAL, _KL) if row in folders]
    made.append(("parameters", parameters(courses), "Sigma and temperature over training."))
    for stem, figure, _ in made:
        png, _ = save(figure, kept / stem)
        replace_file(shown / png.name, png.read_bytes())
    return [(f"{page.stem}/{stem}.png", f"{caption} Seed {seed}.") for stem, _, caption in made]
