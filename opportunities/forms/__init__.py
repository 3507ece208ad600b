"""Validation of input, nothing else."""
