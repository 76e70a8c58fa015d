"""Events against Events > numbers. numpy only.

`from avloc.evaluation import mean_ap` gives the function; the modules beside it hold the rest.
"""

from avloc.evaluation.mean_ap import MeanAp, mean_ap

__all__ = ["MeanAp", "mean_ap"]
