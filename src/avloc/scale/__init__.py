"""One idempotent function over many videos, in processes that may die, with a manifest of what became of each."""
