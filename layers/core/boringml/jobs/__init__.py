"""Asynchronous jobs: their callbacks, and the rules by which these are delivered."""
