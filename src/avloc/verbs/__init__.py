"""The verbs of the command line as functions that return what they found: one name in both.

    from avloc import verbs
    verbs.train("loco-small", "runs/a", features="sim/", annotations="sim/annotations.json")
    verbs.test("runs/a").scores.average

`avloc.train`, `avloc.test`, `avloc.evaluate` and others stand at the top as well. What fails raises an AvlocError;
what there is to know of how predictions fit a truth is a warning. The verbs that make pages, clips and tables of many
files are those of the command line themselves: their arguments are its flags, they print, and return its exit status.
"""

from avloc.cli.check_features import check_features
from avloc.cli.clips import clips
from avloc.cli.compose import compose
from avloc.cli.import_features import import_features
from avloc.cli.import_model import import_model
from avloc.cli.labels import labels
from avloc.cli.paper import paper
from avloc.cli.plot import plot
from avloc.cli.report import report
from avloc.cli.review import review
from avloc.cli.serve import serve
from avloc.cli.sweep import sweep
from avloc.cli.watch import watch
from avloc.cli.weights import weights
from avloc.verbs.data import check_data, load_data, simulate
from avloc.verbs.files import convert, detect, extract
from avloc.verbs.scores import compare, diagnose, evaluate
from avloc.verbs.training import describe, export, recipes, test, train

__all__ = [
    "check_data", "check_features", "clips", "compare", "compose", "convert", "describe", "detect", "diagnose",
    "evaluate", "export", "extract", "import_features", "import_model", "labels", "load_data", "paper", "plot",
    "recipes", "report", "review", "serve", "simulate", "sweep", "test", "train", "watch", "weights",
]  # fmt: skip
