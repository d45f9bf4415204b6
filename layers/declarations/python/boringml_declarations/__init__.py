"""What the repository declares: `models/` and `blueprints/`, linked here so that a layer can carry them."""
