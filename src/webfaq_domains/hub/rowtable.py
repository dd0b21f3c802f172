"""Rows that came, went or changed, as a table for people and lists for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from webfaq_domains.hub.rowdiff import Label, RowChanges

#: What happened to rows, in the order of the columns.
_KINDS = ("added", "removed", "relabelled to", "relabelled away", "other split", "changed")


def listed(counter: Counter[Label]) -> list[dict[str, Any]]:
    """Return counted rows for JSON, a mapping per label."""
    return [{**_named(label), "rows": rows} for label, rows in sorted(counter.items())]


def listed_moves(counter: Counter[tuple[Label, str]]) -> list[dict[str, Any]]:
    """Return rows that changed domain or split for JSON; `to` is the new one."""
    return [
        {**_named(label), "to": to, "rows": rows} for (label, to), rows in sorted(counter.items())
    ]


def _named(label: Label) -> dict[str, str]:
    return {key: value for key, value in label._asdict().items() if value}


def row_lines(rows: RowChanges) -> list[str]:
    """Return a table: a line per language and domain with what came, went and changed."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}

    def count(label: Label, domain: str, what: str, number: int) -> None:
        counts.setdefault((label.part, label.language, domain), Counter())[what] += number

    for what in ("added", "removed", "changed"):
        for label, number in getattr(rows, what).items():
            count(label, label.domain, what, number)
    for (label, to), number in rows.relabelled.items():
        count(label, label.domain, "relabelled away", number)
        count(label, to, "relabelled to", number)
    for (label, _), number in rows.moved.items():
        count(label, label.domain, "other split", number)
    kinds = [kind for kind in _KINDS if any(counter[kind] for counter in counts.values())]
    if not kinds:
        return []
    totals: Counter[str] = sum(counts.values(), Counter())
    lines = [f"{'rows':<34}" + "".join(f"{kind:>17}" for kind in kinds)]
    for (part, language, domain), counter in [*sorted(counts.items()), (("", "", "all"), totals)]:
        name = " ".join(filter(None, (part, language, domain)))
        lines.append(f"{name:<34}" + "".join(f"{counter[kind]:>17,}" for kind in kinds))
    return lines
