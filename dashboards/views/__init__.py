"""Pages and fragments of the home page."""
