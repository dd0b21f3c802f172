"""How figures are written: shares as points of 100, with the interval and n beside them."""

from __future__ import annotations

ABSENT = "–"


def points(share: float) -> str:
    """Write a share of 1 as points of 100: 0.9312 -> `93.1`."""
    return f"{100 * share:.1f}"


def signed(share: float) -> str:
    """Write a difference in points with its sign: `+1.2`, `−0.4`."""
    text = f"{100 * share:+.1f}"
    return ("+0.0" if text == "-0.0" else text).replace("-", "−")


def interval(low: float, high: float) -> str:
    """Write an interval of shares in points: `[91.0, 95.2]`."""
    return f"[{points(low)}, {points(high)}]"


def signed_interval(low: float, high: float) -> str:
    """Write an interval of differences: `[−0.4, +1.2]`."""
    return f"[{signed(low)}, {signed(high)}]"


def cell(share: float, ends: tuple[float, float], items: int) -> str:
    """Write a figure that can be judged: `93.1 [91.0, 95.2] n=390`."""
    return f"{points(share)} {interval(*ends)} n={items}"


def probability(p: float) -> str:
    """Write a p value; below 0.001 it is said to be so."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"
