"""The pages in a real browser: they play, seek and filter, ask for nothing but their own files, and run no label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import av
import numpy as np
import pytest
from chromium import Browser, find_chromium

from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.activitynet import write_results
from avloc.media.writer import write_video

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is absent; the pages are looked at in it")

EVIL = "<script>alert(1)</script>"
EVIL_NAME = "a \"b\" 50% #1 'x' <img src=x onerror=alert(2)>"
DURATION_S = 6.0
EVENTS = Events([0.5, 2.0, 4.0], [1.5, 2.6, 5.0], ["dog barking", EVIL, "violin"], [0.9, 0.6, 0.4])
OTHERS = 120
MIDDLE = """(() => {
  const box = document.querySelector("video").getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 4];
})()"""


def shade(i: int) -> int:
    """Brightness of the i-th picture: it tells the time."""
    return 20 + 3 * i


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("a site")
    (root / "videos").mkdir()
    pictures = (np.full((96, 128, 3), shade(i), np.uint8) for i in range(60))
    wave = 0.2 * np.sin(np.arange(round(DURATION_S * 16000)) * 0.3).astype(np.float32)
    video = root / "videos" / f"{EVIL_NAME}.webm"
    write_video(video, pictures, 10, wave, video_codec="libvpx-vp9", audio_codec="libopus")
    results = root / "results"
    (results / "deep").mkdir(parents=True)
    about = {"source": video.name, "duration": DURATION_S, "model": EVIL, "min_score": 0.3}
    write_results(
        results / f"{EVIL_NAME}.events.json", {EVIL_NAME: EVENTS}, {**about, "video": f"../videos/{video.name}"}
    )
    for k in range(OTHERS):
        many = Events([1.0] * (k % 4), [2.0] * (k % 4), ["dog barking"] * (k % 4), [0.5 + k / 1000] * (k % 4))
        name = f"take {k:03d}"
        more = {**about, "source": f"{name}.mp4", "video": f"gone/{name}.mp4", "duration": 10.0 + k}
        write_results(results / "deep" / f"{name}.events.json", {name: many}, more)
    assert main(["report", str(results), "--out", str(root / "site")]) == 0
    return root / "site"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Every test ends without a script error, a dialog or a refusal of the policy."""
    chromium.troubles.clear()
    chromium.requests.clear()
    yield chromium
    assert chromium.troubles == []


def asked_for(browser: Browser) -> set[str]:
    strange = [a for a in browser.requests if not a.startswith(("file:///", "data:image/", "about:blank"))]
    assert strange == []
    return {unquote(a).split("#t=")[0].rsplit("/", 1)[-1] for a in browser.requests if a.startswith("file:")}


def page_of(site: Path) -> Path:
    return next(path for path in (site / "pages").iterdir() if path.name.startswith("a-b"))


def texts(browser: Browser, selector: str) -> list[str]:
    found = browser.value(f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)")
    assert isinstance(found, list)
    return found


def told(videos: int, events: int) -> str:
    """What the page says of its filters, as a script that looks for it."""
    words = f"{videos} of {OTHERS + 1} videos, {events} event{'s' * (events != 1)}"
    return f"document.getElementById('count')?.textContent === '{words}'"


def set_range(browser: Browser, value: float) -> None:
    browser.value(f"(() => {{ const f = document.getElementById('floor'); f.value = {value}; "
                  "f.dispatchEvent(new Event('input')); })()")  # fmt: skip


def test_the_page_plays_an_event_from_its_start_to_its_end(browser: Browser, site: Path) -> None:
    browser.open(page_of(site))
    browser.until("document.querySelector('video').readyState >= 2")
    assert browser.value("document.querySelector('video').duration") == pytest.approx(DURATION_S, abs=0.1)
    browser.click(".bar[data-event='1']")
    browser.until("document.querySelector('video').currentTime >= 2.05")
    browser.until("document.querySelector('video').paused")
    assert 2.5 < browser.value("document.querySelector('video').currentTime") < 3.8
    browser.value("document.querySelector('video').currentTime = 2.3")
    browser.until(f"document.querySelector('#now li')?.textContent === {EVIL!r}")
    assert asked_for(browser) == {page_of(site).name, f"{EVIL_NAME}.webm"}


def test_the_page_shows_the_picture_of_the_time_that_was_clicked(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    browser.open(page_of(site))
    browser.until("document.querySelector('video').readyState >= 2")
    browser.click("#sound")
    browser.until("!document.querySelector('video').seeking && document.querySelector('video').currentTime > 0")
    assert browser.value("document.querySelector('video').currentTime") == pytest.approx(3.0, abs=0.1)
    browser.value("scrollTo(0, 0)")
    with av.open(str(browser.picture(tmp_path / "shot.png"))) as container:  # scripts may not look into a video
        shot = next(container.decode(video=0)).to_ndarray(format="gray")
    left, top = (int(n) for n in browser.value(MIDDLE))
    assert shot[top, left] == pytest.approx(shade(30), abs=12)


def test_the_page_filters_by_score_and_keys_move_between_events(browser: Browser, site: Path) -> None:
    browser.open(page_of(site))
    set_range(browser, 0.5)
    assert browser.value("[...document.querySelectorAll('.bar')].map((b) => b.hidden)") == [False, False, True]
    browser.value("document.querySelector('.bar').focus()")
    browser.press("ArrowRight")
    assert browser.value("document.activeElement.dataset.label") == EVIL
    browser.press("Enter")
    browser.until("document.querySelector('video').currentTime >= 2")


def test_space_pauses_and_goes_on_wherever_the_focus_is(browser: Browser, site: Path) -> None:
    browser.open(page_of(site))
    browser.until("document.querySelector('video').readyState >= 2")
    browser.press(" ")
    browser.until("document.querySelector('video').currentTime > 0.1")
    browser.value("document.querySelector('.bar').focus()")
    browser.press(" ")
    browser.until("document.querySelector('video').paused")
    assert 0.1 < browser.value("document.querySelector('video').currentTime") < EVENTS[2].start_s
    assert browser.value("document.querySelector('.bar.playing')") is None


def test_arrows_go_to_the_next_event_from_where_the_video_is(browser: Browser, site: Path) -> None:
    browser.open(page_of(site))
    browser.until("document.querySelector('video').readyState >= 2")
    browser.value("document.querySelector('video').currentTime = 1.7")
    browser.press("ArrowRight")
    assert browser.value("document.activeElement.dataset.label") == EVIL
    browser.value("document.activeElement.blur()")
    browser.press("ArrowLeft")
    assert browser.value("document.activeElement.dataset.label") == "dog barking"


def test_pages_lead_to_the_next_video_and_back(browser: Browser, site: Path) -> None:
    browser.open(page_of(site))
    assert texts(browser, "nav a") == ["All videos", "Next \u2192"]
    browser.press("N")
    browser.until("document.title === 'take 000.mp4'")
    assert texts(browser, "nav a") == ["All videos", "\u2190 Previous", "Next \u2192"]
    browser.press("P")
    browser.until(f"document.querySelector('h1')?.textContent === {EVIL_NAME + '.webm'!r}")
    browser.click("nav .index")
    browser.until("document.querySelector('.video') !== null")


def test_an_address_with_a_time_begins_there(browser: Browser, site: Path) -> None:
    browser.open(page_of(site), "#t=4")
    browser.until("document.querySelector('video').currentTime >= 4")
    assert browser.value("document.querySelector('.bar.playing').dataset.label") == "violin"


def test_labels_and_names_of_evil_are_shown_as_text(browser: Browser, site: Path) -> None:
    browser.open(page_of(site))
    assert browser.value("document.querySelector('h1').textContent") == f"{EVIL_NAME}.webm"
    assert EVIL in texts(browser, "tbody th")
    assert browser.value("document.scripts.length") == 2  # one of them is data
    browser.open(site / "index.html")
    assert EVIL in texts(browser, "#classes bdi")
    assert texts(browser, ".video .name bdi")[0] == f"{EVIL_NAME}.webm"
    assert browser.value("[document.scripts.length, document.images.length]") == [2, 0]
    browser.click(".video .bar[data-event='4']")
    browser.until("location.hash === '#t=2' && document.querySelector('video')?.currentTime >= 2")
    browser.click("a.index")
    browser.until("document.querySelectorAll('.video').length > 0")


def test_the_index_filters_by_class_score_and_text(browser: Browser, site: Path) -> None:
    browser.open(site / "index.html")
    assert texts(browser, "#count") == [f"{OTHERS + 1} videos, {3 + sum(k % 4 for k in range(OTHERS))} events"]
    browser.click("#classes li:nth-child(2) button")
    browser.until(told(1, 1))
    browser.click("#classes li:nth-child(2) button")
    set_range(browser, 0.61)
    sure = [k for k in range(110, OTHERS) if k % 4]
    browser.until(told(1 + len(sure), 1 + sum(k % 4 for k in sure)))
    browser.click("#clear")
    for sign in "take 11":
        browser.press(sign)
    named = [k for k in range(OTHERS) if "11" in f"{k:03d}"]
    browser.until(told(len(named), sum(k % 4 for k in named)))
    assert texts(browser, ".video .name bdi") == [f"take {k:03d}.mp4" for k in named]
    assert asked_for(browser) == {"index.html"}


def test_the_index_draws_what_is_on_the_screen_alone(browser: Browser, site: Path) -> None:
    browser.open(site / "index.html")
    assert 10 < browser.value("document.querySelectorAll('.video').length") < 60
    browser.value("scrollTo(0, document.body.scrollHeight)")
    browser.until("document.querySelector('.video:last-child .name').textContent.startsWith('take 119.mp4')")
    assert browser.value("document.querySelectorAll('.video').length") < 60
    places = browser.value("[...document.querySelectorAll('.video')].map((row) => Number(row.dataset.place))")
    assert places == sorted(places)


def test_the_index_sorts_and_goes_by_keys(browser: Browser, site: Path) -> None:
    browser.open(site / "index.html")
    browser.value("document.body.focus()")
    browser.press("/")
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    assert browser.value("document.activeElement.textContent").startswith("take 000.mp4")
    browser.press("End")
    assert browser.value("document.activeElement.textContent").startswith("take 119.mp4")
    browser.value("(() => { const o = document.getElementById('order'); o.value = 'long'; "
                  "o.dispatchEvent(new Event('change')); scrollTo(0, 0); })()")  # fmt: skip
    browser.until("document.querySelector('.video .name').textContent.startsWith('take 119.mp4')")
    browser.press("/")
    browser.press("ArrowDown")
    browser.press("Enter")
    browser.until("document.title === 'take 119.mp4'")


def test_filters_are_there_again_on_the_way_back(browser: Browser, site: Path) -> None:
    fit = [k for k in range(60, OTHERS) if "1" in str(k) and k % 4]
    expected = told(len(fit), sum(k % 4 for k in fit))
    browser.open(site / "index.html", "#q=take+1&score=0.56&sort=events&class=dog+barking")
    browser.until(expected)
    browser.click(".video .open")
    browser.until("document.title.startsWith('take')")
    browser.value("void setTimeout(() => history.back())")  # the answer comes before the page is gone
    browser.until(expected)
    assert browser.value("document.getElementById('query').value") == "take 1"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_nothing_is_wider_than_the_window(browser: Browser, site: Path, width: int, dark: bool) -> None:
    browser.look(width, 800, dark)
    for path in (site / "index.html", page_of(site)):
        browser.open(path)
        assert browser.value("document.documentElement.scrollWidth") <= width
        ground = browser.value("getComputedStyle(document.body).backgroundColor")
        assert (float(ground.removeprefix("oklch(").split()[0]) < 0.5) == dark
    browser.look(1280, 900)


@pytest.fixture(scope="module")
def hevc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result whose video Chromium plays as sound over black."""
    root = tmp_path_factory.mktemp("hevc")
    pictures = (np.full((96, 128, 3), shade(i), np.uint8) for i in range(60))
    wave = 0.2 * np.sin(np.arange(round(DURATION_S * 16000)) * 0.3).astype(np.float32)
    write_video(root / "a.mp4", pictures, 10, wave, video_codec="libx265")
    about = {"source": "a.mp4", "video": "a.mp4", "duration": DURATION_S}
    write_results(root / "a.events.json", {"a": EVENTS}, about)
    return root


def test_a_picture_that_the_browser_cannot_show_is_told(browser: Browser, hevc: Path, tmp_path: Path) -> None:
    assert main(["report", str(hevc / "a.events.json"), "--out", str(tmp_path)]) == 0
    browser.open(tmp_path / "pages" / "a.html")
    browser.until("document.querySelector('video').readyState >= 1")
    browser.until("!document.getElementById('unseen').hidden")
    assert "cannot show its picture (hevc)" in browser.value("document.getElementById('unseen').textContent")
    browser.click(".bar[data-event='1']")
    browser.until("!document.getElementById('still').hidden")  # the picture of the event stands for the film
    assert browser.value("document.getElementById('still').naturalWidth") == 128


def test_events_are_found_where_the_clock_of_the_file_begins_late(browser: Browser, tmp_path: Path) -> None:
    pictures = (np.full((96, 128, 3), shade(i), np.uint8) for i in range(60))
    wave = 0.2 * np.sin(np.arange(round(DURATION_S * 16000)) * 0.3).astype(np.float32)
    late = {"video_start_s": 50.0, "audio_start_s": 50.0}
    write_video(tmp_path / "a.webm", pictures, 10, wave, video_codec="libvpx-vp9", audio_codec="libopus", **late)
    about = {"source": "a.webm", "video": "a.webm", "duration": DURATION_S}
    write_results(tmp_path / "a.events.json", {"a": EVENTS}, about)
    assert main(["report", str(tmp_path / "a.events.json"), "--out", str(tmp_path)]) == 0
    browser.open(tmp_path / "pages" / "a.html", "#t=4")
    browser.until("document.querySelector('video').currentTime >= 54")
    assert browser.value("document.querySelector('.bar.playing').dataset.label") == "violin"
    browser.until("document.querySelector('#now li')?.textContent === 'violin'")


def test_a_copy_shows_in_its_place(browser: Browser, hevc: Path, tmp_path: Path) -> None:
    assert main(["report", str(hevc / "a.events.json"), "--out", str(tmp_path), "--proxy"]) == 0
    browser.open(tmp_path / "pages" / "a.html", "#t=2")
    browser.until("document.querySelector('video').videoWidth === 128")
    browser.until("document.querySelector('video').currentTime >= 2")
    assert browser.value("document.getElementById('unseen').hidden && document.getElementById('unplayable').hidden")
    assert asked_for(browser) == {"a.html", "a.proxy.mp4"}
