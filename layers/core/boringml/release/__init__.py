"""Release: a registered version goes to candidate, is proved, and goes live."""
