"""The operator's command `boringml`: the same on AWS and on the local AWS."""
