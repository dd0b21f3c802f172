"""What the kinds of task train: their heads, batches, losses, metrics and baselines."""
