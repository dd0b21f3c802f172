"""Recipes: what is published, with its sources, steps and thresholds. Installed as `webfaq_domains.builders`."""
