"""Asynchronous predictions: a job from its message to its one final state."""
