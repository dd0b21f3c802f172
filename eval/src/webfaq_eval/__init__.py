"""Train and score cross-lingual retrievers by domain and language."""
