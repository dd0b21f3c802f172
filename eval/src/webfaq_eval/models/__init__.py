"""Retrievers: sentence-transformers models, raw encoders, and baselines, opened by name."""

from __future__ import annotations
