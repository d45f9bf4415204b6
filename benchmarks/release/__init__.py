"""What the promises of a release are made of."""
