"""The ledger: where every input row went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from webfaq_domains.ground.errors import BuildError
from webfaq_domains.ground.records import Count, Record, read_record


class LedgerRecord(Record, frozen=True):
    """Where every input row went: rows by step and reason, and quarantined rows by reason."""

    rows_in: Count
    rows_out: Count
    dropped: dict[str, dict[str, Count]]
    quarantined: dict[str, Count]

    @property
    def rows_accounted(self) -> int:
        """Rows out, dropped and quarantined: as many as came in, if the ledger closes."""
        dropped = sum(rows for reasons in self.dropped.values() for rows in reasons.values())
        return self.rows_out + dropped + sum(self.quarantined.values())


@dataclass
class Ledger:
    """The ledger while rows are counted: rows in, rows out, dropped by step and reason, quarantined."""

    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    quarantined: Counter[str] = field(default_factory=Counter)

    def drop(self, step: str, reasons: dict[str, int]) -> None:
        if reasons:
            self.dropped.setdefault(step, Counter()).update(reasons)

    @property
    def rows_dropped(self) -> int:
        return sum(counts.total() for counts in self.dropped.values())

    def close(self) -> None:
        """Check that no row is unaccounted for.

        :raises BuildError: with the figures, if rows in differ from rows out, dropped and quarantined.
        """
        accounted = self.rows_out + self.rows_dropped + self.quarantined.total()
        if self.rows_in != accounted:
            raise BuildError(
                f"the ledger does not close: {self.rows_in} rows in, but {self.rows_out} out + "
                f"{self.rows_dropped} dropped + {self.quarantined.total()} quarantined = {accounted}; "
                "this is a bug in a step, nothing was published"
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "dropped": {step: dict(sorted(c.items())) for step, c in self.dropped.items()},
            "quarantined": dict(sorted(self.quarantined.items())),
        }

    def record(self) -> LedgerRecord:
        return read_record(self.to_json(), LedgerRecord, "ledger")
