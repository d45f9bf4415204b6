"""Lambda functions of the local AWS: their processes, aliases, concurrency and metrics."""
