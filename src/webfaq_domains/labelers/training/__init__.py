"""Make labelers: annotations and other labelled text in, teacher and student folders out."""
