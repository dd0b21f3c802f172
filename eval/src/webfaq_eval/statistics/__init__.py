"""Intervals, paired tests, corrections and power over clusters of queries."""
