"""From data to a registered model version: the rules of the training flow."""
