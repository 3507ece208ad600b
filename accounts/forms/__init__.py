"""Validation of what is typed about the organisation and its people."""
