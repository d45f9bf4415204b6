"""The operations page: one plain document in, one self-contained HTML file out."""
