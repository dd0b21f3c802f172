"""Drop the rows whose site's owner, page's owner or named person asked for it.

The list of requests is kept by whoever publishes, beside the data and not in it: the ledger counts
rows by the kind of request and names neither site nor row, since that would publish again what was
asked to go.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.addresses import Strings, page_of, pages, site_of, sites, sites_of
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.steps.base import Outcome

_HEAD = "# Removal requests, one a line: `origin HOST`, `url URL` or `id ID`.\n"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Requests:
    """What is asked to go: web sites, pages, rows; each in the form in which it is compared.

    `salt` keeps anyone from trying names against the published hash of a short list.
    """

    origins: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    salt: str = ""

    @classmethod
    def of(cls, origins: Iterable[str], urls: Iterable[str], ids: Iterable[str]) -> Requests:
        """Bring requests to the form in which they are compared (`ground.addresses`).

        :raises RecipeError: for what names no site, no page or no row.
        """
        return cls(
            frozenset(
                _named(name, site_of(name), "a web site: expected a host") for name in origins
            ),
            frozenset(_named(name, page_of(name), "a page: expected a URL") for name in urls),
            frozenset(_named(name, _row_of(name), "an id: expected 32 hex digits") for name in ids),
        )

    @classmethod
    def read(cls, path: Path) -> Requests:
        """Read a list of requests.

        :raises RecipeError: if it cannot be read, naming the line that is none.
        """
        found: dict[str, list[str]] = {"origin": [], "url": [], "id": [], "salt": []}
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"cannot read the removal requests {path}: {error}") from error
        for number, line in enumerate(lines, 1):
            kind, _, value = line.strip().partition(" ")
            if kind and not kind.startswith("#"):
                if kind not in found or not value.strip():
                    raise RecipeError(
                        f"{path}:{number}: {line.strip()!r}: expected `origin HOST`, `url URL` or `id ID`"
                    )
                found[kind].append(value.strip())
        requests = cls.of(found["origin"], found["url"], found["id"])
        return replace(requests, salt="".join(found["salt"]))

    def salted(self) -> Requests:
        """Return the same requests with a salt, a new one if there is none yet."""
        return self if self.salt else replace(self, salt=secrets.token_hex(16))

    def __or__(self, other: Requests) -> Requests:
        return Requests(
            self.origins | other.origins,
            self.urls | other.urls,
            self.ids | other.ids,
            self.salt or other.salt,
        )

    def __sub__(self, other: Requests) -> Requests:
        return Requests(self.origins - other.origins, self.urls - other.urls, self.ids - other.ids)

    def __len__(self) -> int:
        return len(self.origins) + len(self.urls) + len(self.ids)

    def lines(self) -> list[str]:
        kinds = (("origin", self.origins), ("url", self.urls), ("id", self.ids))
        return [f"{kind} {value}" for kind, values in kinds for value in sorted(values)]

    def unmet(self, met: Collection[str]) -> list[str]:
        """Return the requests that are not among the lines of those that some row matched."""
        return [line for line in self.lines() if line not in met]

    def text(self) -> str:
        """Return the list as a file that `read` reads."""
        salt = [f"salt {self.salt}"] if self.salt else []
        return _HEAD + "".join(f"{line}\n" for line in (*salt, *self.lines()))

    @property
    def sha256(self) -> str:
        """Return the hash by which a recipe pins the list without naming what is on it."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def met_in(self, rows: pa.Table) -> Requests:
        """Return the requests that some row matches."""
        by_url = _unique(sites(rows["url"])) if self.origins else frozenset()
        return Requests(
            self.origins & (by_url | _unique(sites_of(rows))) if self.origins else frozenset(),
            self.urls & _unique(pages(rows["url"])) if self.urls else frozenset(),
            self.ids & _unique(rows["id"]) if self.ids else frozenset(),
        )


def _named(asked: str, found: str | None, expected: str) -> str:
    # A line break would put a second request on the list that a publisher keeps.
    if found is None or not asked.strip().isprintable():
        raise RecipeError(f"removal requests: {asked!r} is not {expected}")
    return found


def _row_of(name: str) -> str | None:
    row = name.strip().lower()
    return row if _ID.fullmatch(row) else None


def _unique(values: Strings) -> frozenset[str]:
    return frozenset(pc.unique(values).to_pylist())


@dataclass(frozen=True)
class RemoveOnRequest:
    """Drop rows on request: of a site by `origin` or the host of `url`, of a page, or by id.

    The outcome says which requests some row matched, so that the others can be named.
    """

    requests: Requests
    requires = ("id", "origin", "url")
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        asked = self.requests
        origins, urls, ids = (
            pa.array(sorted(values), pa.string())
            for values in (asked.origins, asked.urls, asked.ids)
        )
        none = pa.array(np.zeros(len(pairs), bool))
        by_site = none
        if asked.origins:
            by_url = pc.is_in(sites(pairs["url"]), origins)
            by_site = pc.or_(pc.is_in(sites_of(pairs), origins), by_url)
        outcome = Outcome.drop_if(
            pairs,
            origin_on_request=by_site,
            url_on_request=pc.is_in(pages(pairs["url"]), urls) if asked.urls else none,
            id_on_request=pc.is_in(pairs["id"], ids),
        )
        gone = [asked.met_in(rows) for rows in outcome.dropped.values()]
        return replace(outcome, met=tuple(line for met in gone for line in met.lines()))
