"""What the repository declares: models/ and blueprints/, linked here for a layer to carry."""
