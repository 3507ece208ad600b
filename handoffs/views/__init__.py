"""Pages and fragments about engagements and tasks."""
