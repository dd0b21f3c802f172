"""Releases: check any folder, compare versions, publish whole or not at all."""
