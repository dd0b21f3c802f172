"""Retriever training on exact conditions: pairs, conditions, batches, losses, train, mine."""
