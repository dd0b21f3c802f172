"""Retrieval benchmarks and FAQ questions as one published layout, by language and domain."""
