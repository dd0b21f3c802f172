"""The ledger: where every input row went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from webfaq_domains.errors import BuildError


@dataclass
class Ledger:
    """Rows in, rows out, rows dropped by step and reason, rows quarantined by reason."""

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
