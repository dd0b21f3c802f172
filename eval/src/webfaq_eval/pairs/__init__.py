"""What retrievers are trained on: FAQ pairs, the conditions that choose them, hard negatives."""
