"""Drop the rows whose site's owner, page's owner or named person asked for it.

The list of requests is kept by whoever publishes, beside the data and not in it: the ledger counts
rows by the kind of request and names neither site nor row, since that would publish again what was
asked to go.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.text import Strings, site_of
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
        """Bring requests to one form: scheme, `www.`, port and letter case make no other site.

        :raises RecipeError: for an empty name, or an id that is none.
        """
        sites = _sites(pa.array(list(origins), pa.string())).to_pylist()
        pages = _pages(pa.array(list(urls), pa.string())).to_pylist()
        rows = [id_.strip().lower() for id_ in ids]
        wrong = [id_ for id_ in rows if not _ID.fullmatch(id_)]
        if wrong or not all((*sites, *pages)):
            what = (
                f"{wrong[0]!r} is not an id: expected 32 hex digits" if wrong else "an empty name"
            )
            raise RecipeError(f"removal requests: {what}")
        return cls(frozenset(sites), frozenset(pages), frozenset(rows))

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
        sites = {*_unique(site_of(rows)), *_unique(_sites(rows["url"]))}
        return Requests(
            self.origins & sites,
            self.urls & _unique(_pages(rows["url"])) if self.urls else frozenset(),
            self.ids & _unique(rows["id"]) if self.ids else frozenset(),
        )


def _unique(values: Strings) -> frozenset[str]:
    return frozenset(pc.unique(values).to_pylist())


def _sites(addresses: Strings) -> Strings:
    """Return the web site of hosts or URLs."""
    return site_of(pa.table({"origin": pc.utf8_trim_whitespace(addresses), "url": addresses}))


def _pages(urls: Strings) -> Strings:
    """Return URLs without scheme, fragment and final slash, which name no other page."""
    page = pc.replace_substring_regex(
        pc.utf8_trim_whitespace(urls), r"^[A-Za-z][\w+.-]*://|#.*$", ""
    )
    return pc.utf8_rtrim(page, "/")


@dataclass(frozen=True)
class RemoveOnRequest:
    """Drop rows on request: of a site by `origin` or the host of `url`, of a page, or by id."""

    requests: Requests
    requires = ("id", "origin", "url")
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        origins, urls, ids = (
            pa.array(sorted(values), pa.string())
            for values in (self.requests.origins, self.requests.urls, self.requests.ids)
        )
        by_site = pc.or_(pc.is_in(site_of(pairs), origins), pc.is_in(_sites(pairs["url"]), origins))
        return Outcome.drop_if(
            pairs,
            origin_on_request=by_site,
            url_on_request=pc.is_in(_pages(pairs["url"]), urls),
            id_on_request=pc.is_in(pairs["id"], ids),
        )
