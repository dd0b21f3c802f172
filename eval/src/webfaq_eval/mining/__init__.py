"""Hard negatives: mined with a retriever, judged by a teacher, or read from files."""
