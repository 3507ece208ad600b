"""Pages about the organisation and its people."""
