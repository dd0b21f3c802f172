"""Keep benchmark text out of training data."""
