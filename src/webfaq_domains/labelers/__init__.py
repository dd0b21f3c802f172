"""The domain labeler: a SetFit teacher, a fastText student, and both as a cascade."""
