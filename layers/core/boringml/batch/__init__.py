"""Batch: files in, scores out. Rules without AWS: docs/flows/batch.md tells the road."""
