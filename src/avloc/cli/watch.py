"""`avloc watch`: a folder that a camera or a recorder writes into > its events, told as they are found."""

from __future__ import annotations

import logging
import math
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import tyro

from avloc import __version__, zoo
from avloc.cli.choosing import Choosing
from avloc.cli.clips import clear_unfinished
from avloc.cli.inputs import is_media, require_writable
from avloc.cli.names import slug
from avloc.errors import AvlocError, OutputError, one_line
from avloc.live.moment import TimeFrom
from avloc.live.settled import Settling
from avloc.live.telling import Command, Message, Tell, Webhook
from avloc.live.told import STATE, Noted, Told
from avloc.live.watching import Watching, Wishes
from avloc.lock import locked
from avloc.scale.batch import LOCK
from avloc.scale.detect import Detect

_MOST_FAILURES = 5


def watch(
    folder: Annotated[Path, tyro.conf.Positional],
    out: Path,
    on_event: str | None = None,
    webhook: str | None = None,
    json: bool = False,
    choosing: Annotated[Choosing, tyro.conf.arg(name="")] = Choosing(),  # noqa: B008
    time_from: str = "metadata",
    clips: Path | None = None,
    margin: float = 1.0,
    model: str = "default",
    settle: float = 5.0,
    skip_present: bool = False,
    once: bool = False,
    workers: int = 1,
    threads: int = 1,
    time_limit: float | None = None,
    weights: Path | None = None,
) -> int:
    """Watch a folder: search each video once it has stopped growing, and tell each event once.

    It goes on until it is stopped (Ctrl-C, SIGTERM); the same command goes on where it was, and tells no event twice.
    Results go to --out as with `avloc detect`, what was told to watch.sqlite there. An event comes --settle seconds
    after its file is whole, and the time of searching.

    examples:
      avloc watch camera/ --out results/
      avloc watch camera/ --out results/ --on-event ./notify.sh --json
      avloc watch camera/ --out results/ --webhook http://127.0.0.1:9000/event --clips clips/
      avloc watch camera/ --out results/ --time-from name:%Y%m%d-%H%M%S --label "dog barking" --min-score 0.6

    Args:
        folder: Folder to watch, with all below it; one that is gone is waited for.
        out: Folder for results and for what was told.
        on_event: Program to run for each event, with its arguments, without a shell: the event comes as JSON on its
            standard input and in variables AVLOC_LABEL, AVLOC_START_S and so on. One that ends with a status other
            than 0 is run again later.
        webhook: Address that each event is posted to, as JSON; tried again later unless it answers 200 to 299.
        json: Print each event as a line of JSON.
        choosing: Which events are told and kept; of --start and --end each file for itself.
        time_from: Where the time of day is taken from: metadata (of the recorder), name:PATTERN as strptime has it,
            or file (its date less its length).
        clips: Folder for each event cut out, told with it.
        margin: Seconds to keep before and behind each event in its clip.
        model: Name of a shipped model, or a model folder.
        settle: Seconds for which a file must not have changed to count as whole.
        skip_present: At the very first start, pass over the files that are there already.
        once: End when all that is there was searched and told.
        workers: Processes that search side by side.
        threads: CPU threads of each.
        time_limit: Seconds after which a video is given up.
        weights: Folder of the encoders' weights, for models that read i3d-vggish or onepeace; see avloc weights.
    """
    _check(folder, out, clips, settle, margin, workers, threads, time_limit)
    wanted = choosing.wanted()
    tell = _teller(on_event, webhook)
    moments = TimeFrom.of(time_from)
    work = Detect(zoo.find_model(model), wanted, False, f"avloc {__version__}", threads, None, weights)
    choosing.require_classes(wanted, work.config.labels, all_of_them=True)
    for one in (out, clips):
        if one is not None:
            require_writable(one)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr)
    wishes = Wishes(out, tell, _line if json else _words, clips, _clip_name, margin)
    with locked(out / LOCK) as mine:
        if not mine:
            raise OutputError(f"{out}: another run works there; wait for its end, or give another folder")
        watching = Watching(
            Settling(folder.absolute(), settle, is_media),
            Told(out / STATE),
            work,
            wishes,
            time_from=moments,
            workers=workers,
            limit_s=time_limit,
        )
        for torn in out.rglob(".avloc-*.tmp"):  # of a run that was killed
            torn.unlink(missing_ok=True)
        if clips is not None:
            clear_unfinished(clips)
        try:
            watching.begin(skip_present=skip_present)
            return _go(watching, once, settle)
        finally:
            watching.close()


def _go(watching: Watching, once: bool, settle_s: float) -> int:
    """Until it is stopped; an event that is being told then is told to its end, unless it is stopped again.

    The result is the exit status.
    """
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        watching.stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    began = time.monotonic()
    try:
        while not asked:
            watching.step()
            if once and watching.idle and time.monotonic() - began > settle_s:
                return 0
            if once and watching.failures >= _MOST_FAILURES:
                raise AvlocError(f"{watching.failures} times in a row an event did not arrive; start again to go on")
        logging.getLogger("avloc.watch").info("stopped; the same command goes on from here")
        return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _teller(on_event: str | None, webhook: str | None) -> Tell | None:
    if on_event is not None and webhook is not None:
        raise AvlocError("--on-event and --webhook were both given; give one, so that an event is told once")
    if on_event is not None:
        return Command.of(on_event)
    return None if webhook is None else Webhook.of(webhook)


def _line(message: Message) -> None:
    print(message.line(), flush=True)


def _words(message: Message) -> None:
    told = message.view()
    when = f"{told['start']}  " if told["start"] else ""
    span = f"{told['start_s']:.2f} - {told['end_s']:.2f} s"
    print(one_line(f"{when}{told['label']}  {span}  {told['score']:.2f}  {told['file']}"), flush=True)


def _clip_name(noted: Noted) -> str:
    event = noted.event
    name, what = slug(noted.path.stem, "video"), slug(event.label, "event")
    return f"{name}_{event.start_s:07.2f}-{event.end_s:07.2f}_{what}_{noted.id}"


def _check(
    folder: Path,
    out: Path,
    clips: Path | None,
    settle: float,
    margin: float,
    workers: int,
    threads: int,
    time_limit: float | None,
) -> None:
    if folder.exists() and not folder.is_dir():
        raise AvlocError(f"{folder}: is a file; give a folder that videos are written to")
    if not folder.exists() and not folder.absolute().parent.is_dir():
        raise AvlocError(f"{folder}: does not exist, nor does the folder that it would be in; give a folder to watch")
    if clips is not None and clips.resolve().is_relative_to(folder.resolve()):
        raise AvlocError(f"--clips {clips}: lies in the watched folder, where clips would be searched; give another")
    if not 0 < settle < math.inf:
        raise AvlocError(f"--settle is {settle}; a positive number of seconds is needed")
    if not 0 <= margin <= 3600:
        raise AvlocError(f"--margin is {margin}; seconds from 0 to 3600 are needed")
    if workers < 1 or threads < 0:
        raise AvlocError(
            f"--workers is {workers} and --threads {threads}; 1 worker or more is needed, 0 threads or more"
        )
    if time_limit is not None and not 0 < time_limit < math.inf:
        raise AvlocError(f"--time-limit is {time_limit}; a positive number of seconds is needed")
