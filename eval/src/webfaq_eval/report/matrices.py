"""Tables of scores: domain by language, and recall at every depth."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from webfaq_eval.report.groups import Group
from webfaq_eval.report.numbers import ABSENT, cell, points
from webfaq_eval.report.tables import Table
from webfaq_eval.results import Result

RECALLS = (1, 5, 10, 20, 100)


def score_table(group: Group) -> Table:
    """Return a group's headline metric, languages down and domains across, with intervals and n.

    The last row is the mean over the languages that have a result, and says how many those are.
    """
    languages, domains = group.languages, group.domains
    rows = [
        [language, *(_cell(group.cells.get((language, domain))) for domain in domains)]
        for language in languages
    ]
    means = [
        f"{points(fmean(one.main.value for one in column))} (mean of {len(column)} of {len(languages)})"
        for column in (group.column(domain) for domain in domains)
    ]
    caption = (
        f"{group.metric}, official judgements, points of 100, 95 % cluster bootstrap over items, n "
        f"items. {_absent(group)} {group.origin}"
    )
    title = f"{group.task}, {group.model}"
    return Table(title, caption, ["language", *domains], [*rows, ["mean", *means]])


def recall_table(group: Group) -> Table | None:
    """Return recall at 1 to 100 by domain, the mean over languages; None for a task without recall."""
    rows = []
    for domain in group.domains:
        column = group.column(domain)
        for kind in ("official", "duplicate"):
            scored = [one.scores[kind] for one in column if kind in one.scores]
            if scored and all(f"recall_at_{k}" in one for one in scored for k in RECALLS):
                share = f"{len(scored)} of {len(group.languages)}"
                means = [points(fmean(one[f"recall_at_{k}"] for one in scored)) for k in RECALLS]
                rows.append([domain, kind, share, str(_queries(column)), *means])
    if not rows:
        return None
    caption = (
        "Recall in points of 100, the mean over the languages that have a result (column languages); "
        f"duplicate judgements where a text repeats. {group.origin}"
    )
    names = ["domain", "judgements", "languages", "queries", *(f"R@{k}" for k in RECALLS)]
    return Table(f"{group.task} recall, {group.model}", caption, names, rows, 3)


def _cell(result: Result | None) -> str:
    if result is None:
        return ABSENT
    main = result.main
    return cell(main.value, (main.low, main.high), result.n.items)


def _queries(results: Sequence[Result]) -> int:
    return sum(one.n.queries for one in results)


def _absent(group: Group) -> str:
    if not group.absent:
        return "No cell is missing."
    total = len(group.languages) * len(group.domains)
    return f"{group.absent} of {total} cells have no result ({ABSENT}) and count in no mean."
