"""What `serve` does: a package behind SageMaker's three routes."""
