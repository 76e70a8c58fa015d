"""Pages for those who see little, use keys alone, or read by ear: axe-core's rules in Chromium, and every key's way.

axe-core is looked for in node_modules beside the package, where `npm install --no-save axe-core@4` puts it, in
npm's folder of global packages, and where AXE_CORE says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser, find_chromium

from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.activitynet import write_results

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is absent; the pages are looked at in it")

EVENTS = Events(
    [0.5, 2.0, 4.0, 6.0], [1.5, 2.6, 5.0, 7.0], ["dog barking", "violin", "violin", "cow"], [0.9, 0.8, 0.6, 0.4]
)
RULES = """axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}).then((found) =>
  found.violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`)))"""
STATES = {
    "as it opens": "0",
    "with verdicts": "for (const key of 'ynjw') document.body.dispatchEvent(new KeyboardEvent('keydown', "
    "{key, bubbles: true}))",
    "naming a class": "document.querySelector('[data-do=correct]').click()",
    "with the help": "document.getElementById('help').click()",
    "with a trouble": "document.getElementById('trouble').hidden = false; "
    "document.getElementById('trouble').textContent = 'It cannot be read.'",
}


def find_axe() -> Path | None:
    """axe-core's script, or None where it is not installed."""
    folders = [Path(__file__).parents[2] / "node_modules"]
    if (npm := shutil.which("npm")) is not None:
        root = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=False).stdout.strip()
        folders += [Path(root)] if root else []
    places = [*(folder / "axe-core" / "axe.min.js" for folder in folders), Path(os.environ.get("AXE_CORE", ""))]
    return next((place for place in places if place.is_file()), None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("accessible")
    for name, events in (("a", EVENTS), ("b", EVENTS[:1])):
        about = {"source": f"{name}.mp4", "video": f"{name}.mp4", "duration": 9.0, "model": "default", "key": "k"}
        (root / "results").mkdir(exist_ok=True)
        write_results(root / "results" / f"{name}.events.json", {name: events}, about)
    alone = [{"modality": "audio"}, {"modality": "visual"}]
    write_results(root / "results" / "a.evidence.json", {"a": EVENTS[1:3]}, about, {"a": alone})
    assert main(["report", str(root / "results"), "--out", str(root / "site"), "--quick"]) == 0
    return root / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as chromium:
        yield chromium


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["index.html", "pages/a.html"])
def test_axe_finds_nothing(browser: Browser, site: Path, page: str, dark: bool) -> None:
    axe = find_axe()
    if axe is None:
        pytest.skip("axe-core is absent; `npm install --no-save axe-core@4` brings it")
    browser.look(1280, 900, dark)
    found: dict[str, Any] = {}
    for state, script in STATES.items() if page.startswith("pages") else [("as it opens", "0")]:
        browser.open(site / page)
        browser.value(f"{axe.read_text('utf-8')}; 0")
        browser.value(f"{script}; 0")
        found[state] = browser.value(RULES)
    browser.look(1280, 900)
    assert found == {state: [] for state in found}


def test_tab_comes_to_all_that_can_be_used_and_shows_where_it_is(browser: Browser, site: Path) -> None:
    browser.open(site / "pages" / "a.html")
    browser.value("document.body.focus()")
    reached: list[str] = []
    for _ in range(60):
        browser.press("Tab")
        if browser.value("document.activeElement === document.body || document.activeElement.tagName === 'VIDEO'"):
            continue
        name = browser.value(
            "(({id, dataset, className, title}) => id || dataset.do || className || title)(document.activeElement)"
        )
        assert browser.value("getComputedStyle(document.activeElement).outlineStyle") != "none", name
        reached.append(str(name))
    assert {"reviewer", "open", "save", "save-json", "help", "yes", "no", "correct", "from", "to", "clear"} <= set(
        reached
    )
    assert {"add", "undo", "whole", "bar", "edge start", "edge end", "floor"} <= set(reached)
    assert reached.count("bar") <= 60 // len(set(reached)) + 2  # one bar alone; arrows go from it


def test_help_and_naming_give_the_focus_back(browser: Browser, site: Path) -> None:
    browser.open(site / "pages" / "a.html")
    browser.value("document.querySelector('.bar').focus()")
    browser.press("?")
    assert browser.value("document.getElementById('keys').contains(document.activeElement)")
    browser.press("Escape")
    assert browser.value("document.activeElement.className") == "bar"
    browser.press("c")
    assert browser.value("document.activeElement.id") == "class"
    browser.press("Escape")
    assert browser.value("document.activeElement.className") == "bar"


def test_nothing_moves_for_those_who_want_it_still(browser: Browser, site: Path) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    browser.open(site / "pages" / "a.html")
    moving = browser.value(
        "[...document.querySelectorAll('*')].filter((e) => { const s = getComputedStyle(e); "
        "return s.animationName !== 'none' || s.transitionDuration.split(', ').some((t) => t !== '0s'); })"
        ".filter((e) => getComputedStyle(e).transitionProperty !== 'none').length"
    )
    browser.look(1280, 900)
    assert moving == 0


def test_without_scripts_it_is_a_table(browser: Browser, site: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(site / "pages" / "a.html")
        root = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    # A row for the names of columns, one each; what is heard only and seen only has a table of its own.
    assert root and roles.count("row") == 1 + len(EVENTS) + 1 + 2 and roles.count("table") == 2
    names = {node.get("name", {}).get("value") for node in tree if not node["ignored"]}
    assert "0:04.00" in names and not {"Review", "Save verdicts"} & names
