"""CloudFormation of the local AWS: what the application's templates need of it."""
