"""boring-ml: the rules and adapters that every function, the container and the CLI share."""
