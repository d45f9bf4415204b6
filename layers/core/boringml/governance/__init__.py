"""What a training job may be and cost, decided before it starts."""
