"""What the repository is built and checked with; nothing here is deployed."""
