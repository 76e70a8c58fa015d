"""The command line: verb > function. Errors that avloc raises on purpose become one line and exit status 1."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence

import tyro

from avloc import __version__
from avloc.cli.check_data import check_data
from avloc.cli.check_features import check_features
from avloc.cli.clips import clips
from avloc.cli.compare import compare
from avloc.cli.compose import compose
from avloc.cli.console import stand_any_text
from avloc.cli.convert import convert
from avloc.cli.describe import describe
from avloc.cli.detect import detect
from avloc.cli.detect_flags import over_file
from avloc.cli.diagnose import diagnose
from avloc.cli.evaluate import evaluate
from avloc.cli.export import export
from avloc.cli.extract import extract
from avloc.cli.grammar import MARKERS, plainly
from avloc.cli.import_features import import_features
from avloc.cli.import_model import import_model
from avloc.cli.labels import labels
from avloc.cli.paper import paper
from avloc.cli.plot import plot
from avloc.cli.recipes import recipes
from avloc.cli.report import report
from avloc.cli.review import review
from avloc.cli.serve import serve
from avloc.cli.simulate import simulate
from avloc.cli.sweep import sweep
from avloc.cli.test import test
from avloc.cli.train import train, train_verb
from avloc.cli.watch import watch
from avloc.cli.weights import weights
from avloc.errors import AvlocError, one_line

VERBS: dict[str, Callable[..., int]] = {
    "detect": detect,
    "clips": clips,
    "report": report,
    "labels": labels,
    "serve": serve,
    "watch": watch,
    "review": review,
    "extract": extract,
    "weights": weights,
    "convert": convert,
    "export": export,
    "import": import_model,
    "import-features": import_features,
    "check-data": check_data,
    "check-features": check_features,
    "simulate": simulate,
    "compose": compose,
    "recipes": recipes,
    "train": train,
    "test": test,
    "describe": describe,
    "paper": paper,
    "sweep": sweep,
    "plot": plot,
    "evaluate": evaluate,
    "compare": compare,
    "diagnose": diagnose,
}

DESCRIPTION = """Find every event of a video that is seen and heard at once: its class, its start, its end.

examples:
  avloc --version
  avloc detect my.mp4                    table of events, and my.events.json beside the video
  avloc detect my.mp4 --report out/      and a page to look at: out/my.html
  avloc detect videos/ --out results/    every video of a folder
  avloc clips results/ --label "dog barking" --out clips/
  avloc labels                           the classes that are found, and how surely
  avloc report results/ --out site/      an index over all videos, with a page for each
  avloc watch camera/ --out results/     files as a camera writes them, their events as they are found
  avloc serve --port 8080                a server with a page to drop a video on
  avloc review results/ verdicts.csv     what verdicts given on the pages say: precision, thresholds, corrections
  avloc extract my.mp4                   features only: my.features.safetensors
  avloc convert my.events.json my.eaf    for ELAN; also Audacity, Raven, WebVTT, Label Studio and others
  avloc evaluate predictions.json --truth truth.json --split test
  avloc compare a.json b.json --truth truth.json --split test    is b better, and is that chance?
  avloc diagnose predictions.json --truth truth.json --split test --report diagnosis/"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the result is the exit status."""
    stand_any_text()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _answer(arguments)
        sys.stdout.flush()  # here, where it is caught that nobody reads any more
        return status
    except AvlocError as error:
        print("\n".join((f"avloc: {error}", *map(one_line, error.program))), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("avloc: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has left; Python must not complain again while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _answer(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        print(f"avloc {__version__}")
        return 0
    if not arguments or arguments[0] in ("--help", "-h"):
        print(f"{DESCRIPTION}\n\ncommands (avloc COMMAND --help tells more):\n{_verbs()}")
        return 0
    return _run(arguments[0], arguments)


def _run(verb: str, arguments: Sequence[str]) -> int:
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        meant = f"did you mean avloc {near[0]}?" if near else f"the commands are {', '.join(VERBS)}"
        raise AvlocError(f"there is no command {verb!r}; {meant}")
    command = train_verb(arguments) if verb == "train" else VERBS[verb]
    if verb == "detect":
        command = over_file(command, arguments)
    return tyro.cli(
        plainly(command),
        prog=f"avloc {verb}",
        args=arguments[1:],
        config=MARKERS,
    )


def _verbs() -> str:
    """A line for each verb: the first sentence of its docstring, up to a colon."""
    first = {name: re.split(r"[.:](?:\s|$)", verb.__doc__ or "", maxsplit=1)[0] for name, verb in VERBS.items()}
    return "\n".join(f"  {name:17s}{' '.join(words.split())}" for name, words in first.items())


if __name__ == "__main__":
    sys.exit(main())
