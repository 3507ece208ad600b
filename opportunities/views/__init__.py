"""Pages about deals, accounts and the people there."""
