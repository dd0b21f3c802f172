"""Intermediate-task training: the nine English tasks of Phang et al. 2020, all together, and MLM."""
