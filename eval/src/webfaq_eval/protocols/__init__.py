"""What is searched in what, and the headline metric, for each task."""
