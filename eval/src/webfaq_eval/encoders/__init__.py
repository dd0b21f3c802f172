"""What turns texts into rankings: sentence-transformers, raw checkpoints, BM25, chance."""
