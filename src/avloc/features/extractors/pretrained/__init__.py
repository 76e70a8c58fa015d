"""Encoders of the paper's features, on torch, with weights that users bring; imported when they are asked for."""
