"""Errors that instruct: what was given, what was expected, what to do. Each is one line for a person."""


class AvlocError(Exception):
    """Base of every error that avloc raises on purpose; the command line prints it as one line."""


class MediaError(AvlocError):
    """A media file cannot be read, or lacks what the work needs."""


class FeatureError(AvlocError):
    """Features are missing, odd, or do not fit the model."""


class FormatError(AvlocError):
    """An annotation or event file cannot be read or written."""


class ModelError(AvlocError):
    """A model folder is missing, broken, or does not fit the work."""


class TrainingError(AvlocError):
    """Training cannot go on with these settings or data."""


class OutputError(AvlocError):
    """A result cannot be written."""


class ConfigError(AvlocError):
    """A setting is unknown or out of its range."""
