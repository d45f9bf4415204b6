"""What is watched after a release, and what it is measured against."""
