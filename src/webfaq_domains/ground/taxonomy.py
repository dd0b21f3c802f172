"""The taxonomy: which domains exist and what belongs in each.

`taxonomy.toml` beside this file is the only place where domains are defined; a user's own file has
the same form.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.languages import languages
from webfaq_domains.ground.records import RESERVED

#: Foreign label sets that a taxonomy may be related to.
CROSSWALKS = ("webfaq", "nvidia", "weborganizer", "sib200")


@dataclass(frozen=True)
class Domain:
    """One domain: `definition`, `includes` and `excludes` are what an annotator reads."""

    slug: str
    title: str
    definition: str
    includes: tuple[str, ...]
    excludes: tuple[str, ...]
    crosswalk: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Taxonomy:
    """A versioned, ordered set of domains; `fallback` takes what no domain claims."""

    version: str
    fallback: str
    domains: tuple[Domain, ...]
    sha256: str
    text: str = field(repr=False, compare=False)

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(domain.slug for domain in self.domains)

    @property
    def claimable(self) -> tuple[str, ...]:
        """The slugs a labeler gives a probability to: all but the fallback."""
        return tuple(slug for slug in self.slugs if slug != self.fallback)

    def require(self, domains: tuple[str, ...], fallback: str, labeler: str) -> None:
        """Refuse a labeler whose domains or fallback are not those of this taxonomy.

        :raises RecipeError: with both sets.
        """
        if set(domains) != set(self.claimable) or fallback != self.fallback:
            raise RecipeError(
                f"the labeler {labeler} knows {', '.join(sorted(domains))} (else {fallback}), "
                f"the taxonomy {self.version} has {', '.join(sorted(self.claimable))}"
                + (f" (else {self.fallback})" if fallback != self.fallback else "")
                + "; train a labeler for this taxonomy with `webfaq-domains build labeler`"
            )

    def from_foreign(self, scheme: str, label: str) -> tuple[str, ...]:
        """Return the domains that a foreign label (`scheme` of `CROSSWALKS`) overlaps."""
        return tuple(d.slug for d in self.domains if label in d.crosswalk.get(scheme, ()))


def _domain(entry: dict[str, Any], where: str) -> Domain:
    if not isinstance(entry, dict):
        raise RecipeError(f"{where}: write each domain as a table [[domain]]; met {entry!r}")
    missing = [key for key in ("slug", "title", "definition") if not entry.get(key)]
    if missing:
        raise RecipeError(f"{where}: a [[domain]] lacks {', '.join(missing)}")
    for key in ("slug", "title", "definition"):
        if not isinstance(entry[key], str):
            raise RecipeError(f"{where}: {key} must be text; met {entry[key]!r}")
    for key in ("includes", "excludes", *CROSSWALKS):
        listed = entry.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise RecipeError(f"{where}: {key} of {entry['slug']} must be a list of texts")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", entry["slug"]):
        raise RecipeError(
            f"{where}: slug {entry['slug']!r}: use lower-case letters, digits and _ (it names "
            "folders and configs)"
        )
    if reserved := _reserved(entry["slug"]):
        raise RecipeError(f"{where}: slug {entry['slug']!r} {reserved}; choose another")
    return Domain(
        entry["slug"],
        entry["title"],
        entry["definition"],
        tuple(entry.get("includes", ())),
        tuple(entry.get("excludes", ())),
        {scheme: tuple(entry.get(scheme, ())) for scheme in CROSSWALKS},
    )


def _reserved(slug: str) -> str:
    """Return why a slug cannot name folders, configs and subsets; "" if it can."""
    if slug in RESERVED:
        return "is a name that the Hub's client or a file system has reserved"
    if slug in languages():
        return "is a language code, and configs are named by language as well"
    if slug.endswith(("_pool", "_multi")):
        return "ends as the names of domain pools and multi-label subsets do"
    return ""


def read_taxonomy(text: str, where: str) -> Taxonomy:
    """Parse a taxonomy file's text.

    :raises RecipeError: naming `where` and what is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where}: not valid TOML: {error}") from error
    domains = tuple(_domain(entry, where) for entry in data.get("domain", ()))
    slugs = [domain.slug for domain in domains]
    fallback = data.get("fallback", "other")
    if len(set(slugs)) != len(slugs) or fallback not in slugs or len(slugs) < 2:
        raise RecipeError(
            f"{where}: slugs must be at least two, unique, and hold the fallback {fallback!r}; "
            f"met {', '.join(slugs) or 'none'}"
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Taxonomy(str(data.get("version", "0")), fallback, domains, digest, text)


@cache
def builtin_taxonomy() -> Taxonomy:
    """Return the taxonomy that this package ships."""
    text = files("webfaq_domains.ground").joinpath("taxonomy.toml").read_text(encoding="utf-8")
    return read_taxonomy(text, "taxonomy.toml")


def load_taxonomy(path: Path | None) -> Taxonomy:
    """Return the taxonomy in `path`, or the builtin one.

    :raises RecipeError: if the file cannot be read or is not a taxonomy.
    """
    if path is None:
        return builtin_taxonomy()
    try:
        return read_taxonomy(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise RecipeError(f"cannot read the taxonomy {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not valid TOML: not UTF-8 text") from error
