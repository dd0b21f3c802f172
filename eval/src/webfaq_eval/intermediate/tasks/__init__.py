"""The tasks' data: where each one's files are, how a row is read, split and counted."""
