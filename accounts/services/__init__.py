"""Every write about the organisation and its people, one module per subject."""
