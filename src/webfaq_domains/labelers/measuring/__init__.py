"""Measure labelers: figures per domain and language, with intervals, tables and pictures."""
