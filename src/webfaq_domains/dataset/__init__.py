"""The FAQ data set: its layout, how it is staged, checked, counted and cut."""

from __future__ import annotations
