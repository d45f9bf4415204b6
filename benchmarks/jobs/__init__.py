"""Jobs under stress."""
