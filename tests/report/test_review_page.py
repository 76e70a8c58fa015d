"""Events judged on a page in a real browser: by keys, by buttons, by dragging; kept, saved, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chromium import Browser, find_chromium

from avloc.cli.main import main
from avloc.events import Event, Events
from avloc.formats.activitynet import write_results
from avloc.formats.verdict_files import read_reviewed, write_reviewed
from avloc.formats.verdicts import Reviewed, Verdict, mark_of
from avloc.media.writer import write_video
from avloc.report.judging import Judging
from avloc.report.page import Shown, write_page

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is absent; the pages are looked at in it")

EVIL = '=1+1,"x"<script>alert(1)</script>'
DURATION_S = 6.0
EVENTS = Events(
    [0.5, 1.5, 2.0, 4.0], [1.5, 2.5, 2.6, 5.0], ["dog barking", EVIL, "violin", "violin"], [0.9, 0.7, 0.6, 0.4]
)
CHOSEN = "document.querySelector('.bar[tabindex=\"0\"]')"
PROGRESS = "document.getElementById('progress').textContent"

SHOWN = """new Promise((done) => {
  const press = new KeyboardEvent("keydown", {key: %s, bubbles: true, cancelable: true});
  (document.activeElement ?? document.body).dispatchEvent(press);
  requestAnimationFrame(() => setTimeout(done));
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("judged")
    pictures = (np.full((48, 64, 3), 4 * i, np.uint8) for i in range(60))
    wave = 0.2 * np.sin(np.arange(round(DURATION_S * 16000)) * 0.3).astype(np.float32)
    write_video(root / "a.webm", pictures, 10, wave, video_codec="libvpx-vp9", audio_codec="libopus")
    results = root / "results"
    (results / "deep").mkdir(parents=True)
    for name, events in (("a", EVENTS), ("deep/b", EVENTS[:1]), ("none", Events())):
        about = {"source": "a.webm", "video": "../a.webm", "duration": DURATION_S, "model": "default"}
        write_results(results / f"{name}.events.json", {Path(name).name: events}, about)
    assert main(["report", str(results), "--out", str(root / "site"), "--quick"]) == 0
    return root / "site"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser, site: Path, tmp_path: Path) -> Iterator[Browser]:
    """On the page of video a, with nothing kept; every test ends without a script error or a refusal."""
    chromium.open(site / "pages" / "a.html")
    chromium.value("localStorage.clear()")
    chromium.open(site / "pages" / "a.html")
    chromium.save_into(tmp_path)
    chromium.troubles.clear()
    yield chromium
    assert chromium.troubles == []


def saved(browser: Browser, folder: Path, name: str = "a.verdicts.csv") -> Reviewed:
    """What the page saves, as avloc reads it."""
    browser.press("s")
    return read_reviewed(browser.saved(folder / name))["a"]


def kinds(reviewed: Reviewed) -> list[str]:
    return [v.kind for v in reviewed.verdicts]


def stand(browser: Browser, seconds: float) -> None:
    """Bring the video to a moment."""
    browser.value("document.querySelector('video').pause()")
    browser.value(f"document.querySelector('video').currentTime = {seconds}")
    browser.until("!document.querySelector('video').seeking")


def name_class(browser: Browser, text: str) -> None:
    assert browser.value("document.activeElement.id") == "class"
    browser.type(text)
    browser.press("Enter")


def test_keys_judge_one_event_after_the_other_and_the_file_tells_them(browser: Browser, tmp_path: Path) -> None:
    assert browser.value(PROGRESS) == "0 of 4 looked at"
    browser.value("document.getElementById('reviewer').value = 'Ann'")
    for key in "yny":
        browser.press(key)
    assert browser.value(PROGRESS) == "3 of 4 looked at"
    assert browser.value(f"{CHOSEN}.dataset.start") == "4.000"
    browser.until("document.querySelector('video').currentTime > 3")  # it plays from a second before
    told = saved(browser, tmp_path)
    assert kinds(told) == ["yes", "no", "yes", ""]
    assert [v.found for v in told.verdicts] == list(EVENTS)
    assert {v.by for v in told.verdicts} == {"Ann", ""} and told.verdicts[0].at.endswith("Z")
    assert told.duration_s == DURATION_S and not told.whole and told.result == mark_of("a", EVENTS)
    truth = told.truth()
    assert truth.events.labels == ("dog barking", "violin")
    assert truth.known == ((0.0, 3.6),)  # the last event was not looked at, and begins at 4 s


def test_verdicts_are_there_again_and_can_be_undone(browser: Browser, site: Path, tmp_path: Path) -> None:
    for key in "ynwu":
        browser.press(key)
    browser.until("Object.keys(localStorage).length === 1")
    browser.open(site / "pages" / "a.html")
    assert browser.value(PROGRESS) == "2 of 4 looked at"
    assert browser.value("[...document.querySelectorAll('.bar')].map((b) => b.dataset.verdict).sort()") == [
        *("", "", "no", "yes")
    ]
    assert browser.value(f"{CHOSEN}.getAttribute('aria-label')").endswith("right")
    browser.press("Delete")
    assert browser.value(PROGRESS) == "1 of 4 looked at"
    browser.press("u")
    browser.press("w")
    told = saved(browser, tmp_path)
    assert kinds(told) == ["yes", "no", "", ""] and told.whole


def test_the_class_is_corrected_by_its_first_letters(browser: Browser, tmp_path: Path) -> None:
    browser.press("c")
    name_class(browser, "playing vio")
    assert browser.value("document.activeElement.className") == "bar"
    browser.press("y")  # a corrected one stays corrected
    told = saved(browser, tmp_path).verdicts[0]
    assert (told.kind, told.event.label, told.found) == ("corrected", "playing violin", EVENTS[0])
    row = "document.querySelector('.bar[data-verdict=corrected]').closest('.row')"
    assert browser.value(f"{row}.getAttribute('aria-label')") == "playing violin"


def test_ends_are_corrected_where_the_video_stands_by_keys_and_by_hand(browser: Browser, tmp_path: Path) -> None:
    stand(browser, 0.8)
    browser.press("i")
    assert browser.value("document.getElementById('about').textContent").startswith("dog barking0:00.80 – 0:01.50")
    browser.value("document.querySelector('.edge.end').focus()")
    browser.press("ArrowRight")
    browser.press("PageUp")
    width = browser.value("document.querySelector('.track').clientWidth")
    browser.drag(".edge.start", -0.5 * width / DURATION_S)
    event = saved(browser, tmp_path).verdicts[0].event
    assert event.start_s == pytest.approx(0.3, abs=0.03)
    assert event.end_s == pytest.approx(2.6, abs=1e-6)
    for _ in range(4):
        browser.press("u")
    (tmp_path / "a.verdicts.csv").unlink()
    assert kinds(saved(browser, tmp_path)) == ["", "", "", ""]


def test_a_missed_event_is_added_renamed_taken_back(browser: Browser, tmp_path: Path) -> None:
    stand(browser, 3.0)
    browser.press("a")
    name_class(browser, "a class of mine")
    assert browser.value(PROGRESS) == "1 of 5 looked at"
    browser.press("c")
    name_class(browser, "dog bark")
    told = saved(browser, tmp_path).verdicts[-1]
    assert (told.kind, told.found, told.event.label) == ("added", None, "dog barking")
    assert (told.event.start_s, told.event.end_s) == (pytest.approx(3.0, abs=0.02), pytest.approx(5.0, abs=0.02))
    browser.press("Delete")
    assert browser.value(PROGRESS) == "0 of 4 looked at"
    browser.press("u")
    assert browser.value(PROGRESS) == "1 of 5 looked at"
    for _ in range(2):
        browser.press("u")
    assert browser.value("document.querySelectorAll('.bar').length") == 4


def test_a_video_without_an_event_can_get_one(browser: Browser, site: Path, tmp_path: Path) -> None:
    browser.open(site / "pages" / "none.html")
    browser.press("y")
    browser.press("a")
    name_class(browser, "violin")
    browser.press("w")
    browser.press("s")
    (told,) = read_reviewed(browser.saved(tmp_path / "none.verdicts.csv")).values()
    assert kinds(told) == ["added"] and told.whole and told.truth().known is None


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_saved_file_is_read_back(browser: Browser, tmp_path: Path, ending: str) -> None:
    dog, evil, _, last = EVENTS
    theirs = (
        Verdict("yes", dog, dog, "Ben", "2026-01-02T03:04:05Z"),
        Verdict("corrected", Event(1.4, 2.2, "violin"), evil, "Ben"),
        Verdict("no", Event(9, 10, "gone", 0.5), Event(9, 10, "gone", 0.5), "Ben"),
        Verdict("", last, last, asked=True),
        Verdict("added", Event(3.0, 3.5, EVIL), None, "Ben"),
    )
    write_reviewed(tmp_path / f"ben.{ending}", {"a": Reviewed(theirs, DURATION_S, True)})
    browser.press("n")
    browser.give_file("#file", tmp_path / f"ben.{ending}")
    browser.until(f"{PROGRESS} === '3 of 5 looked at, 1 asked for'")
    assert "1 of the verdicts" in browser.value("document.getElementById('trouble').textContent")
    browser.press("j")
    assert browser.value(f"{CHOSEN}.dataset.start") == "4.000"  # the one that was asked for comes first
    told = saved(browser, tmp_path)
    assert kinds(told) == ["yes", "corrected", "", "", "added"] and told.whole
    assert told.verdicts[1] == theirs[1] and told.verdicts[3].asked and told.verdicts[4].event.label == EVIL
    browser.give_file("#file", tmp_path / f"ben.{ending}")  # the same again adds nothing
    browser.until("document.getElementById('file').value === ''")
    assert browser.value(PROGRESS) == "3 of 5 looked at, 1 asked for"
    browser.click("#save-json")
    assert read_reviewed(browser.saved(tmp_path / "a.verdicts.json"))["a"] == told


def test_a_file_that_holds_no_verdicts_is_refused_in_words(browser: Browser, tmp_path: Path) -> None:
    for text, said in (("a,b\n1,2\n", "names no video"), ('{"results": {}}', "verdicts"), ("{", "cannot be read")):
        path = tmp_path / "odd.csv"
        path.write_text(text)
        browser.value("document.getElementById('trouble').textContent = ''")
        browser.give_file("#file", path)
        browser.until(f"document.getElementById('trouble').textContent.includes({said!r})")


def test_buttons_do_what_keys_do_and_letters_can_be_no_keys(browser: Browser) -> None:
    browser.click("tr[data-event='2'] .verdict [data-do='no']")
    browser.click("#answers [data-do='yes']")
    assert browser.value(PROGRESS) == "2 of 4 looked at"
    browser.press("?")
    assert browser.value("document.getElementById('keys').open")
    browser.click("#letters")
    browser.press("y")
    browser.click("#keys button")
    browser.press("y")
    assert browser.value(PROGRESS) == "2 of 4 looked at"


def test_the_index_collects_verdicts_and_hands_them_out(browser: Browser, site: Path, tmp_path: Path) -> None:
    for key in "yn":
        browser.press(key)
    browser.until("Object.keys(localStorage).length === 1")
    browser.open(site / "index.html")
    assert browser.value("document.getElementById('verdicts').textContent") == "2 verdicts, 0 videos watched whole"
    assert "2 looked at" in browser.value("document.querySelector('.video .sub').textContent")
    browser.click("#save")
    told = read_reviewed(browser.saved(tmp_path / "verdicts.csv"))
    assert kinds(told["a"]) == ["yes", "no", "", ""] and told["a"].result == mark_of("a", EVENTS)
    browser.value("localStorage.clear()")
    b = Reviewed((Verdict("no", EVENTS[0], EVENTS[0]),), DURATION_S, True)
    write_reviewed(tmp_path / "both.json", {**told, "deep/b": b})
    browser.give_file("#file", tmp_path / "both.json")
    browser.until("document.getElementById('verdicts').textContent === '3 verdicts, 1 video watched whole'")
    browser.open(site / "pages" / "deep-b.html")
    assert browser.value(PROGRESS) == "1 of 1 looked at" and browser.value("document.getElementById('whole').checked")


def test_a_new_result_takes_over_the_verdicts_on_events_that_are_still_there(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    for key in "ynw":
        browser.press(key)
    browser.until("Object.keys(localStorage).length === 1")
    for events, looked, whole in ((EVENTS[:3], 2, True), (EVENTS[1:], 1, False)):
        write_page(
            tmp_path / "new.html", title="a", video=Shown("gone.mp4"), duration_s=DURATION_S, events=events,
            levels=None, metadata={}, review=Judging("a", mark_of("a", events)),
        )  # fmt: skip
        browser.open(tmp_path / "new.html")
        assert browser.value(PROGRESS) == f"{looked} of 3 looked at"
        assert browser.value("document.getElementById('whole').checked") is whole
        assert "earlier result" in browser.value("document.getElementById('trouble').textContent")
        browser.value(f"localStorage.removeItem('avloc verdicts {mark_of('a', events)}')")
    write_page(
        tmp_path / "new.html", title="a", video=Shown("gone.mp4"), duration_s=DURATION_S, events=EVENTS, levels=None,
        metadata={}, review=Judging("another", "f" * 16),
    )  # fmt: skip
    browser.open(tmp_path / "new.html")
    assert browser.value(PROGRESS) == "0 of 4 looked at"


def test_two_thousand_events_stay_under_a_tenth_of_a_second_an_action(chromium: Browser, tmp_path: Path) -> None:
    n, rng = 2000, np.random.default_rng(0)
    start_s = np.sort(rng.uniform(0, 7190, n))
    labels = [f"class {k}" for k in rng.integers(0, 20, n)]
    events = Events(start_s, start_s + rng.uniform(0.5, 6, n), labels, rng.uniform(0.3, 1, n))
    write_page(
        tmp_path / "big.html", title="big", video=Shown("gone.mp4"), duration_s=7200.0, events=events, levels=None,
        metadata={}, review=Judging("big", "0" * 16, sorted(set(labels))),
    )  # fmt: skip
    chromium.open(tmp_path / "big.html")
    chromium.value("document.querySelector('.bar').focus()")
    for key in ("y", "n", "i", "u", "Delete", "j", "ArrowRight", "ArrowDown", "w"):
        before = chromium.drawing_s()  # processor time, for others use the machine, too
        for _ in range(8):
            chromium.value(SHOWN % json.dumps(key))
        assert (chromium.drawing_s() - before) / 8 < 0.1, key
    assert before > 0
    assert chromium.value(PROGRESS).endswith("of 2000 looked at")
