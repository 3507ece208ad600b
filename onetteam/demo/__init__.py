"""A believable company to try OneTeam with: everything in it is invented."""
