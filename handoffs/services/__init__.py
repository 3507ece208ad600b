"""Every write about engagements, playbooks and tasks, one module per use case."""
