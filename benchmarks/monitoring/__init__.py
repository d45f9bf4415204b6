"""What the promises of monitoring are made of."""
