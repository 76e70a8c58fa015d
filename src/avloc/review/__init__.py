"""Results and people's verdicts on them > precision, thresholds, what to look at next, agreement, corrections."""
