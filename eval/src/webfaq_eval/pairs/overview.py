"""What every condition of a domain would train on, before any training: sizes, overlaps, shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_eval.pairs.conditions import WITH_DOMAIN, Condition, Selection, control_warnings, select
from webfaq_eval.pairs.held_out import HeldOut
from webfaq_eval.pairs.pair_list import list_sha256
from webfaq_eval.pairs.pairs import read_for_conditions
from webfaq_eval.pairs.settings import Draw


@dataclass(frozen=True)
class Overview:
    """The conditions of one domain over one set of pairs.

    `overlaps[a][b]` is the share of a's pairs that are in b too.
    """

    data: str
    selections: dict[str, Selection]
    hashes: dict[str, str]
    overlaps: dict[str, dict[str, float]]
    held_out: HeldOut
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "data": self.data,
            "held_out": sorted(self.held_out.languages),
            "held_out_checked": self.held_out.checked if self.held_out.languages else None,
            "held_out_dropped": dict(sorted(self.held_out.found.items())),
            "conditions": {
                name: {
                    "pairs": len(chosen),
                    "sha256": self.hashes[name],
                    "languages": chosen.languages,
                    "overlaps": self.overlaps[name],
                }
                for name, chosen in self.selections.items()
            },
            "warnings": self.warnings,
        }

    def text(self) -> str:
        parts = [self._sizes(), self._overlaps(), self._languages()]
        if self.held_out.languages:
            gone = ", ".join(
                f"{why} {count:,}" for why, count in self.held_out.found.most_common(8)
            )
            names = ", ".join(sorted(self.held_out.languages))
            parts.append(
                f"held out: {names}, by {self.held_out.checked}; left out: {gone or 'none'}"
            )
        parts += [f"WARNING: {warning}" for warning in self.warnings]
        return "\n\n".join(parts)

    def _sizes(self) -> str:
        lines = [f"{'condition':28}{'pairs':>12}{'languages':>11}  list"]
        for name, chosen in self.selections.items():
            lines.append(
                f"{name:28}{len(chosen):12,}{len(chosen.languages):11}  {self.hashes[name][:12]}"
            )
        return "\n".join(lines)

    def _overlaps(self) -> str:
        names = [name for name, chosen in self.selections.items() if len(chosen)]
        lines = ["share of the row's pairs that are in the column too"]
        lines.append(" " * 28 + "".join(f"{name.split(':')[0]:>15}" for name in names))
        for name in names:
            shares = "".join(f"{self.overlaps[name][other]:15.1%}" for other in names)
            lines.append(f"{name:28}{shares}")
        return "\n".join(lines)

    def _languages(self) -> str:
        kept = {name: chosen for name, chosen in self.selections.items() if len(chosen)}
        totals: dict[str, int] = {}
        for chosen in kept.values():
            for code, count in chosen.languages.items():
                totals[code] = max(totals.get(code, 0), count)
        lines = ["pairs (share) by language"]
        lines.append(f"{'':10}" + "".join(f"{name.split(':')[0]:>16}" for name in kept))
        for code in sorted(totals, key=lambda code: (-totals[code], code)):
            cells = "".join(_cell(chosen, code) for chosen in kept.values())
            lines.append(f"{code:10}{cells}")
        return "\n".join(lines)


def _cell(chosen: Selection, code: str) -> str:
    count = chosen.languages.get(code, 0)
    return f"{f'{count:,} ({count / len(chosen):.1%})' if count else '-':>16}"


def compare_conditions(
    where: str | Path, domain: str, draw: Draw, held_out: frozenset[str]
) -> Overview:
    """Choose the pairs of every condition of a domain and compare them.

    :raises TaskDataError: if the folder is not one of pairs, or the domain has none.
    """
    pairs, index, check = read_for_conditions(where, held_out)
    conditions = [Condition("none"), Condition("all")]
    conditions += [Condition(kind, domain) for kind in WITH_DOMAIN]
    chosen = {str(condition): select(index, condition, draw) for condition in conditions}
    warnings = [warning for one in chosen.values() for warning in one.warnings]
    inside, random = chosen[f"in-domain:{domain}"], chosen[f"random:{domain}"]
    warnings += control_warnings(index, inside, random)
    return Overview(
        pairs.digest,
        chosen,
        {name: list_sha256(index.ids[one.rows]) for name, one in chosen.items()},
        {
            name: {o: _share(one, other) for o, other in chosen.items()}
            for name, one in chosen.items()
        },
        check,
        warnings,
    )


def _share(one: Selection, other: Selection) -> float:
    if not len(one):
        return 0.0
    return len(np.intersect1d(one.rows, other.rows, assume_unique=True)) / len(one)
