"""Training: batches > losses > weights, for any network. `fit` and `Method` are all that an own method needs."""

from avloc.training.fit import fit
from avloc.training.method import Method

__all__ = ["Method", "fit"]
