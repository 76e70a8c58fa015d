"""Loggers: where what a training tells goes, beside metrics.jsonl, which every run has."""

from avloc.training.loggers.base import LOGGERS, Logger, make_loggers

__all__ = ["LOGGERS", "Logger", "make_loggers"]
