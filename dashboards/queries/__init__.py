"""Reads for the home page; each costs the same whatever the number of deals."""
