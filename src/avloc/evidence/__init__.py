"""How surely classes are seen and heard, each by itself: the evidence of a grounded model, without its network."""
