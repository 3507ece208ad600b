"""Every write of imports, one module per use case."""
