"""Pages whose Python is whole: it runs from top to bottom, in a folder that holds the demo alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", ["adding_a_method.md"])
def test_a_page_runs(page: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / page).read_text("utf-8"), re.M | re.S)
    assert blocks
    (tmp_path / "demo").symlink_to(ROOT / "demo", target_is_directory=True)
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks), "utf-8")
    run = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]


def test_links_of_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_pages_are_whole() -> None:
    """No place left for a figure to come, and no table whose rows have lost their head to a blank line."""
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
        assert not re.search(r"@@\w+@@", text), page.name
        for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
            second = (*table.splitlines(), "")[1]
            assert re.fullmatch(r"\|[ :|-]+\|", second), f"{page.name}: {table[:60]}"
