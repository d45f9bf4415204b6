"""What the platform does around a model's `train.py`, one module per step: see run.py."""
