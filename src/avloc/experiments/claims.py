"""What the paper claims, as data, and whether finished runs bear it out.

The rule. A claim says that one row is better than another in one column. Its evidence is the difference of their mean
mAP on the seeds that both have, with a 95 % interval over draws of test videos and seeds (`compare`).

- reproduced: the interval lies above 0
- not reproduced: the interval lies below 0
- undecided: the interval holds 0
- not tried: runs are missing, a row has learned nothing, or the claim needs what is not here

A row whose mAP is at chance has learned nothing. Claims on R and on the cross-similarity matrix are of LCC's local
part: a row that does not know a moment from another has learned nothing of it, whatever its mAP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from avloc.experiments.compare import COLUMNS, paired_mean
from avloc.experiments.cost import LIKE, PUBLIC, Cost
from avloc.experiments.grid import REFERENCE
from avloc.experiments.learned import nothing_learned
from avloc.experiments.methods import TITLES
from avloc.experiments.tables import Results

Verdict = Literal["reproduced", "not reproduced", "undecided", "not tried"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Row `better` beats row `worse` in `column`; `paper`: by how many points of mAP, where its text says so."""

    source: str
    words: str
    better: str
    worse: str
    column: str
    paper: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with its verdict and the numbers that it rests on."""

    source: str
    words: str
    paper: str
    evidence: str
    verdict: Verdict


CLAIMS = (
    Claim("Table 2a", "LCC helps without CDP", "lcc", "base", "0.9"),
    Claim("Table 2a", "LCC helps without CDP", "lcc", "base", "Avg."),
    Claim("Table 2a", "CDP helps without LCC", "cdp", "base", "0.9"),
    Claim("Table 2a", "CDP helps without LCC", "cdp", "base", "Avg."),
    Claim("Table 2a", "LCC helps with CDP", "loco", "cdp", "0.9"),
    Claim("Table 2a", "LCC helps with CDP", "loco", "cdp", "Avg."),
    Claim("Table 2a", "both are better than LCC alone", "loco", "lcc", "Avg."),
    Claim("Table 2b", "learnable gaussian is better than the diagonal", "loco", "diagonal", "Avg."),
    Claim("Table 2b", "learnable gaussian is better than the softened target", "loco", "softened", "Avg."),
    Claim("Table 2b", "learnable gaussian is better than the fixed one", "loco", "fixed-gaussian", "Avg."),
    Claim("Table 2c", "CDP is better than fixed windows", "loco", "fixed", "0.9", "+2.2"),
    Claim("Table 2c", "CDP is better than fixed windows", "loco", "fixed", "Avg."),
    Claim("Table 2c", "CDP is better than global attention", "loco", "global", "Avg."),
    Claim("Table 2c", "fixed windows are better than global attention", "fixed", "global", "Avg."),
    Claim("Table 2d", "a window of 4 is better than the full length", "window-4", "global", "Avg."),
    Claim("Table 2d", "a window of 16 is better than the full length", "window-16", "global", "Avg."),
    Claim("Table 2d", "a window of 32 is better than the full length", "window-32", "global", "Avg."),
    Claim("Table 2d", "a window of 8 is better than one of 4", "loco", "window-4", "Avg."),
    Claim("Table 2d", "a window of 8 is better than one of 16", "loco", "window-16", "Avg."),
    Claim("Table 2d", "a window of 8 is better than one of 32", "loco", "window-32", "Avg."),
)

TABLE_1 = tuple(
    Claim("Table 1", f"LoCo beats {title}", REFERENCE, method, column)
    for method, title in TITLES.items()
    if method != REFERENCE
    for column in ("0.9", "Avg.")
)

NOT_TRIED = (
    Judged(
        "Table 1",
        "LoCo beats UniAV(STF) on ONE-PEACE features",
        "+1.7 Avg., +3.4 at 0.9",
        "needs the released features and a model trained on several tasks",
        "not tried",
    ),
)


_LITTLE = 0.05
OF_MOMENTS = "Table 2b"


def verdict_of(low: float, high: float) -> Verdict:
    """The rule, on the ends of the interval of a difference that the claim says is above 0."""
    if low > 0:
        return "reproduced"
    return "not reproduced" if high < 0 else "undecided"


def judge(claim: Claim, results: Results) -> Judged:
    """One claim against the runs that are done."""
    found = results.difference(claim.better, claim.worse)
    words = f"{claim.words} ({'average mAP' if claim.column == 'Avg.' else f'mAP at {claim.column}'})"
    if found is None:
        lacking = [row for row in (claim.better, claim.worse) if results.scores(row) is None]
        evidence = f"no run yet of {' and '.join(lacking)}" if lacking else "no seed that both have"
        return Judged(claim.source, words, claim.paper, evidence, "not tried")
    reasons = [nothing_learned(results, row, of_moments=claim.source == OF_MOMENTS) for row in
               (claim.better, claim.worse)]  # fmt: skip
    c = COLUMNS.index(claim.column)
    low, high = 100 * found.seeded[:, c]
    near, far = 100 * found.videos[:, c]
    evidence = (
        f"{100 * found.measured[c]:+.2f} [{low:+.2f}, {high:+.2f}]; videos alone [{near:+.2f}, {far:+.2f}]; "
        f"{found.seeds} seed{'s' * (found.seeds > 1)}"
    )
    verdict = verdict_of(low, high)
    if any(reasons):
        verdict, evidence = "not tried", f"{'; '.join(filter(None, reasons))}; {evidence}"
    return Judged(claim.source, words, claim.paper, evidence, verdict)


def judge_spread(results: Results) -> Judged:
    """Section 4.5: LCC raises the mean over videos of the standard deviation of the CSM, at equal attention."""
    words = "LCC raises the mean standard deviation of the cross-similarity matrix"
    mine, other = results.spreads("loco"), results.spreads("cdp")
    seeds = sorted(mine.keys() & other.keys())
    if not seeds:
        return Judged("Section 4.5", words, "", "no seed yet that loco and cdp both have", "not tried")
    videos = list(results.truth)
    found = paired_mean(
        [[mine[seed].encoded[video] for video in videos] for seed in seeds],
        [[other[seed].encoded[video] for video in videos] for seed in seeds],
    )
    evidence = (
        f"{found.mine:.4f} with LCC, {found.other:.4f} without; {found.mine - found.other:+.4f} "
        f"[{found.low:+.4f}, {found.high:+.4f}]; {len(seeds)} seed{'s' * (len(seeds) > 1)}"
    )
    verdict, reason = verdict_of(found.low, found.high), nothing_learned(results, "loco", of_moments=True)
    if reason:
        verdict, evidence = "not tried", f"{reason}; {evidence}"
    return Judged("Section 4.5", words, "", evidence, verdict)


def judge_costs(wide: dict[str, Cost], others: dict[str, Cost]) -> list[Judged]:
    """Table 3's claims are counts, at the paper's width: they hold or they do not. `others`: the other methods."""
    loco, cdp, with_global, public = wide["loco"], wide["cdp"], wide["global"], wide[PUBLIC]
    judged = [
        _counted(
            f"fewer parameters and FLOPs than {name.split(',')[0]} (its widths, not in the paper, were chosen so)",
            f"{loco.parameters / 1e6:.1f} M and {loco.macs / 1e9:.1f} G against "
            f"{peer.parameters / 1e6:.1f} M and {peer.macs / 1e9:.1f} G; {public.parameters / 1e6:.1f} M and "
            f"{public.macs / 1e9:.1f} G with the widths of the public codes (feed-forward ratio 4)",
            loco.parameters < peer.parameters and loco.macs < peer.macs,
        )
        for name, peer in ((name, others[name]) for name in LIKE)
    ]
    more = loco.parameters - with_global.parameters
    judged.append(
        _counted(
            "CDP has slightly more parameters than global attention",
            f"{more / 1e6:+.2f} M, {100 * more / with_global.parameters:+.2f} %",
            0 < more < _LITTLE * with_global.parameters,
        )
    )
    parameters, macs = loco.parameters - cdp.parameters, loco.macs - cdp.macs
    judged.append(
        _counted(
            "LCC costs little",
            f"{parameters / 1e6:+.2f} M ({100 * parameters / cdp.parameters:.1f} %), {macs / 1e9:+.2f} G "
            f"({100 * macs / cdp.macs:.1f} %), in training alone; little: below {100 * _LITTLE:g} %",
            parameters < _LITTLE * cdp.parameters and macs < _LITTLE * cdp.macs,
        )
    )
    return judged


def judge_methods(results: Results) -> list[Judged]:
    """The claims of Table 1 on the methods that have runs."""
    return [judge(claim, results) for claim in TABLE_1 if results.scores(claim.worse) is not None]


def judge_all(results: Results, wide: dict[str, Cost], others: dict[str, Cost]) -> list[Judged]:
    """Every claim, in the order of the paper; those of Table 1 where one of its rows has runs."""
    return [
        *NOT_TRIED,
        *judge_methods(results),
        *(judge(claim, results) for claim in CLAIMS),
        *judge_costs(wide, others),
        judge_spread(results),
    ]


def _counted(words: str, evidence: str, is_so: bool) -> Judged:
    return Judged("Table 3", words, "", evidence, "reproduced" if is_so else "not reproduced")
