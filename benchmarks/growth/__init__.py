"""How start, prediction, cost and control grow."""
