"""Contract: what a model accepts and answers, in one file per model."""
