"""Writes about the organisation and its people."""
