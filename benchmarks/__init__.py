"""Measurements of the product; see docs and `results/`."""
