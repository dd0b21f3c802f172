"""The tables of a comparison: one of cells, one of languages pooled by domain."""

from __future__ import annotations

from webfaq_eval.report.tables import ABSENT, Table, points, probability, signed, signed_interval
from webfaq_eval.statistics.compare import Comparison, Difference

_COLUMNS = (
    "task", "language", "domain", "metric", "n", "items", "baseline", "other", "difference",
    "95 % interval", "d", "p", "p Holm", "smallest",
)  # fmt: skip


def difference_tables(comparison: Comparison) -> list[Table]:
    """Return the cells and, where there are any, the pooled rows, one table for each other model."""
    tables = []
    for other in comparison.others:
        for title, rows in (("cells", comparison.cells), ("languages pooled", comparison.pooled)):
            mine = [row for row in rows if row.other == other]
            if mine:
                name = f"{other} against {comparison.baseline}, {title}"
                tables.append(
                    Table(
                        name, _caption(comparison, other, len(rows)), list(_COLUMNS), _rows(mine), 4
                    )
                )
    return tables


def _caption(comparison: Comparison, other: str, family: int) -> str:
    left = len(comparison.left_out)
    said = [*comparison.protocols[comparison.baseline], *comparison.protocols[other]]
    return (
        f"Points of 100, {comparison.judgements} judgements; 95 % cluster bootstrap and paired "
        f"randomisation test over items; p Holm is corrected over the {family} rows of this kind; d is "
        "the difference in standard deviations over items; smallest is the difference that so many "
        "items show in 80 % of studies before correction. n counts queries. "
        f"Left out: {left}{': ' + '; '.join(comparison.left_out[:5]) if left else ''}"
        f"{' …' if left > 5 else ''}. "
        f"Benchmark: {', '.join(comparison.benchmarks)}. Models: {'; '.join(said)}."
    )


def _rows(rows: list[Difference]) -> list[list[str]]:
    return [
        [
            task_name(row),
            row.language or f"{row.languages} languages",
            domain_name(row),
            row.metric,
            str(row.n),
            str(row.items),
            points(row.baseline_value),
            points(row.other_value),
            signed(row.difference),
            signed_interval(row.low, row.high),
            ABSENT if row.standardised is None else f"{row.standardised:+.2f}".replace("-", "−"),
            probability(row.p),
            probability(row.p_corrected),
            points(row.smallest),
        ]
        for row in rows
    ]


def task_name(row: Difference) -> str:
    """Return the task with what tells its variants apart: `tatoeba reverse`."""
    parts = [row.task, row.setting, row.direction if row.direction != "forward" else None]
    return " ".join(part for part in parts if part)


def domain_name(row: Difference) -> str:
    """Return the domain with membership and pool where they are not the usual ones."""
    parts = [row.domain or "all"]
    if row.membership != "exclusive":
        parts.append(row.membership)
    if row.pool != "full":
        parts.append(f"({row.pool} pool)")
    return " ".join(parts)
