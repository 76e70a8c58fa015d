"""A server over a detector: uploads > a bounded queue > processes that may die > results, kept for a while."""
