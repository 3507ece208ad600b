"""Every write about deals, one module per use case."""
