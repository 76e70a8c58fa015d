"""Who may know whom: the contracts of pyproject.toml hold, and a breach of them is noticed."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "avloc"


def lint(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import rules on the package in `source`, in a process of its own."""
    config = str(ROOT / "pyproject.toml")
    code = f"from importlinter.cli import lint_imports; exit(lint_imports({config!r}, no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_rules_hold(tmp_path: Path) -> None:
    run = lint(ROOT / "src", tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("decoding/soft_nms.py", "import torch", "torch and what comes with it"),
        ("evaluation/mean_ap.py", "from avloc.timegrid import TimeGrid", "know events alone"),
        ("media/probe.py", "from avloc.features.store import load_features", "knows only rooms below it"),
        ("detector.py", "from avloc.training.fit import fit", "Detecting needs no training"),
        ("scale/detect.py", "from avloc.report.page import write_page", "know no page"),
        ("detector.py", "from avloc.features.extractors.embedded import CUES", "one module knows which there are"),
        ("media/writer.py", "from avloc.compose.scene import Scene", "knows only rooms below it"),
        ("compose/planner.py", "from avloc.datasets.batch import Batch", "Composing knows media"),
        ("room.py", "", "every room has its place"),
        ("training/fit.py", "from avloc.models.loco.network import Loco", "know no method by name"),
    ],
)
def test_a_breach_is_noticed(tmp_path: Path, file: str, line: str, broken: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "avloc", ignore=_data)
    path = tmp_path / "avloc" / file
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    run = lint(tmp_path, tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    verdict = re.search(rf"{re.escape(broken)}.*?\b(KEPT|BROKEN)", " ".join(run.stdout.split()))
    assert verdict is not None and verdict[1] == "BROKEN", run.stdout


def test_no_method_is_missing_from_the_rules() -> None:
    pytest.importorskip("torch")
    from avloc.learning.build import CRITERIA
    from avloc.models.build import METHODS

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    forbidden = next(c["forbidden_modules"] for c in contracts if "know no method by name" in c["name"])
    modules = {build.__module__ for build in (*METHODS.values(), *CRITERIA.values())}
    for module in modules - {"avloc.learning.dense"}:  # the losses that several methods share
        assert any(f"{module}.".startswith(f"{name}.") for name in forbidden), module


def _data(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_file() and not name.endswith(".py")]


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports, names taken out of a package among them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_contracts_cannot_say(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    names = imports(path)
    # A part of safetensors brings torch, which a contract on outside packages cannot tell from the rest of it.
    if room not in ("models", "learning", "training") and "pretrained" not in path.parts:
        assert not [name for name in names if name.startswith("safetensors.torch")]
    # The package's own face leads to the detector: only the command line goes in by the front door.
    if room not in ("cli", "__init__.py"):
        taken = [name.removeprefix("avloc.") for name in names if name.startswith("avloc.") and name.count(".") == 1]
        taken = [name for name in taken if name != "__version__"]
        assert [name for name in taken if not ((PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file())] == []
    assert not [name for name in names if name.split(".")[0] in ("pickle", "cPickle", "dill", "joblib")]
