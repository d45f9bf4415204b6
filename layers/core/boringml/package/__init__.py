"""The model package: what one version consists of, and the proof that nobody changed it."""
