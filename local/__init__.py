"""The local AWS: what a laptop runs in place of an AWS account. Nothing here runs in AWS."""
