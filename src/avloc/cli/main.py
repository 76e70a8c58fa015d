"""The command line: verb > function. Errors that avloc raises on purpose become one line and exit status 1."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from avloc import __version__
from avloc.cli.console import stand_any_text
from avloc.errors import AvlocError, one_line

VERBS: dict[str, str] = {
    "detect": "Find the events of videos that are seen and heard at once",
    "clips": "Cut events out of their videos, sound in step",
    "report": "Make an index over all videos of a result folder, to search and filter, and a page for each",
    "labels": "List the classes of a model, and what is known of how surely it finds each",
    "serve": "Listen for videos and answer with their events",
    "watch": "Watch a folder",
    "review": "Tell what verdicts on events say of the results",
    "extract": "Write what encoders see and hear, step by step, to NAME.features.safetensors",
    "weights": "Add or list weights of the encoders that made the paper's features",
    "convert": "Turn labels or detections into the format that another program reads",
    "export": "Write model.onnx beside the weights of a model folder, and compare the two",
    "import": "Make a model folder from a checkpoint that a method's authors released",
    "import-features": "Bring in features of any encoders",
    "check-data": "Look over annotations and features, or labels and videos, and list all that is wrong",
    "check-features": "Compare features with others of the same videos, or their rows with the videos' durations",
    "simulate": "Write simulated features of real annotations, for the whole way without the released ones",
    "compose": "Compose labelled videos of pictures and sounds",
    "recipes": "List the recipes of `avloc train`",
    "train": "Train a model; validation chooses the weights that stay in --out",
    "test": "Run a trained model on a split, write its detections, and score them",
    "describe": "Count the parameters and multiply-accumulates of a recipe's network, part by part",
    "paper": "The paper's tables and figures, each by one command",
    "sweep": "Train and test the rows of a file, any recipes with any settings, and hold them against one another",
    "plot": "Draw runs beside one another",
    "evaluate": "Score detections against truth",
    "compare": "Compare two detectors on the same videos",
    "diagnose": "Find out what goes wrong in detections",
}
"""What each does: the first sentence of its function, up to a colon; said without loading it."""

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
    import tyro

    from avloc.cli.grammar import MARKERS, plainly

    return tyro.cli(
        plainly(command_of(verb, arguments)),
        prog=f"avloc {verb}",
        args=arguments[1:],
        config=MARKERS,
    )


def function_of(verb: str) -> Callable[..., int]:
    """The function of a verb, from the module of its name: only that is loaded, for the start to be quick."""
    name = "import_model" if verb == "import" else verb.replace("-", "_")
    function: Callable[..., int] = getattr(importlib.import_module(f"avloc.cli.{name}"), name)
    return function


def command_of(verb: str, arguments: Sequence[str]) -> Callable[..., int]:
    """The function as the arguments have it: some name a recipe or a file that changes what flags there are."""
    if verb == "train":
        from avloc.cli.train import train_verb

        return train_verb(arguments)
    function = function_of(verb)
    if verb == "detect":
        from avloc.cli.detect_flags import over_file

        return over_file(function, arguments)
    return function


def _verbs() -> str:
    return "\n".join(f"  {name:17s}{summary}" for name, summary in VERBS.items())


if __name__ == "__main__":
    sys.exit(main())
