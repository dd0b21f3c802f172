"""Frozen origins: web sites kept for the final figures, that nothing trains or chooses on.

The rule is a hash, so nobody picks the sites: in each domain of the labelled data, the sites with
the lowest sha256 of their name, `SHARE` of them and at least one. A site that is frozen in one
domain is frozen whole.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from webfaq_domains.errors import LabelerError
from webfaq_domains.labeler.labelled import Labelled

#: A third of the sites: a quarter was asked for, and with 3 to 5 sites a domain it is one or two.
SHARE = Fraction(1, 3)


@dataclass(frozen=True)
class FrozenOrigins:
    """The rule and what it gives: `sites` are frozen; `same_site` maps a host's suffix to its site."""

    rule: str
    share: str
    same_site: dict[str, str]
    sites: dict[str, list[str]]

    def site(self, origin: str) -> str:
        """Return the site an origin belongs to (translations of one site are one site)."""
        for suffix, site in self.same_site.items():
            if origin.endswith(suffix):
                return site
        return origin

    def holds(self, origin: str) -> bool:
        """Say whether a row of this origin must stay out of training, choice and calibration."""
        return any(self.site(origin) in sites for sites in self.sites.values())

    def write(self, path: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> FrozenOrigins:
        """Read the file that `freeze` and `write` made.

        :raises LabelerError: if it is missing or has another form.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise LabelerError(f"{path} is not a file of frozen origins: {error}") from error


def freeze(
    origins: Iterable[tuple[str, str]], same_site: Mapping[str, str], share: Fraction = SHARE
) -> FrozenOrigins:
    """Choose the frozen sites from (domain, origin) pairs of labelled rows."""
    named = FrozenOrigins("", "", dict(same_site), {})
    sites: dict[str, set[str]] = {}
    for domain, origin in origins:
        sites.setdefault(domain, set()).add(named.site(origin))
    chosen = {
        domain: sorted(found, key=lambda site: hashlib.sha256(site.encode()).hexdigest())
        for domain, found in sorted(sites.items())
    }
    rule = (
        "per domain of the labelled data, the sites with the lowest sha256 of their name: "
        f"ceil({share} of the sites); a site frozen in one domain is frozen in all"
    )
    return FrozenOrigins(
        rule,
        str(share),
        dict(same_site),
        {domain: found[: math.ceil(len(found) * share)] for domain, found in chosen.items()},
    )


def only_frozen(rows: list[Labelled], path: Path | None) -> list[Labelled]:
    """Return the rows of frozen sites, or all rows where no file is given."""
    if path is None:
        return rows
    frozen = FrozenOrigins.read(path)
    return [row for row in rows if frozen.holds(row.origin)]
