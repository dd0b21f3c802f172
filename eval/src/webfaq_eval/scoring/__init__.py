"""Score a model on retrieval subsets: read them, search, judge by the task's protocol, record."""

from __future__ import annotations
