"""Web addresses in the one form in which they are compared: which host, site and page a text names.

Splits, deduplication, removal requests and the index of benchmarks all ask here. Scheme, port, user
name, letter case of the host, a leading `www.` and a final dot make no other site; a host is
compared in its ASCII form (IDNA: `müller.example` is `xn--mller-kva.example`). A page is its site
with path and query; percent-encoding, `/./`, a final slash and a fragment make no other page, the
letter case of a path does. `yarl` knows the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from yarl import URL

Strings: TypeAlias = "pa.Array | pa.ChunkedArray"

_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")
_SPACE = re.compile(r"\s")
_BEFORE_HOST = r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//"
_AFTER_HOST = r"(?s)[/?#\\].*$"


def host_of(address: str | None) -> str | None:
    """Return the host of a URL or of a bare host, in lower-case ASCII; None if there is none.

    >>> host_of("https://user@www.Müller.example.:443/faq"), host_of("no address")
    ('www.xn--mller-kva.example', None)
    """
    url = _parsed(address or "")
    host = (url.raw_host or "").rstrip(".").lower() if url else ""
    return None if not host or _SPACE.search(host) else host


def site_of(address: str | None) -> str | None:
    """Return the web site that a URL or a host names; None if it names none.

    >>> site_of("https://www.Shop.example:443/faq"), site_of("shop.example."), site_of("https://")
    ('shop.example', 'shop.example', None)
    """
    host = host_of(address)
    return host.removeprefix("www.") if host else None


def page_of(address: str | None) -> str | None:
    """Return the page that a URL names, its site alone where it has no path; None if it names none.

    >>> page_of("https://www.shop.example/h%c3%a4ufig/#top"), page_of("shop.example/häufig")
    ('shop.example/h%C3%A4ufig', 'shop.example/h%C3%A4ufig')
    """
    url, site = _parsed(address or ""), site_of(address)
    if url is None or site is None:
        return None
    query = f"?{url.raw_query_string}" if url.raw_query_string else ""
    return f"{site}{url.raw_path.rstrip('/')}{query}"


def _parsed(address: str) -> URL | None:
    text = address.strip()
    try:
        return URL(text if _SCHEME.match(text) else f"//{text}")
    except ValueError:
        return None


def sites(addresses: Strings) -> Strings:
    """Return the web site of each address of a column; what is no address is compared as written.

    Hosts are cut out by Arrow and each is looked at once: a million URLs take about a second.
    """
    host = pc.replace_substring_regex(addresses, _BEFORE_HOST, "")
    return _each(pc.replace_substring_regex(host, _AFTER_HOST, ""), _site)


def pages(addresses: Strings) -> Strings:
    """Return the page of each address of a column; what is no address is compared as written."""
    return _each(addresses, _page)


def sites_of(pairs: pa.Table) -> Strings:
    """Return the web site of each pair, from `origin`, else from `url`; null where both are."""
    return sites(pc.coalesce(pairs["origin"], pairs["url"]))


@lru_cache(maxsize=1 << 16)
def _site(address: str) -> str | None:
    return site_of(address) or address.strip().lower() or None


def _page(address: str) -> str | None:
    return page_of(address) or address.strip() or None


def _each(texts: Strings, rule: Callable[[str], str | None]) -> Strings:
    """Apply a rule once per different text."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    coded = texts.dictionary_encode()
    found = [None if text is None else rule(text) for text in coded.dictionary.to_pylist()]
    return pa.array(found, pa.string()).take(coded.indices)
