"""Serving: one request in, one prediction out, one line of log."""
