"""Asynchronous jobs: each goes to one final state, and its client is told."""
