"""Where pairs come from. `open_source` takes an address and returns something that can be read.

| address | what |
|---|---|
| `hub:<org>/<name>@<revision>` | a dataset on the Hub, at a pinned sha |
| `nquads:PATH` | Web Data Commons FAQPage dumps |
| `html:PATH` | pages with schema.org FAQPage |
| `PATH` | a folder or file of Parquet, JSON Lines or CSV |
"""

from __future__ import annotations

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.sources.base import Source


def open_source(address: str, wanted: frozenset[str] = frozenset()) -> Source:
    """Open a source; all that can be checked without reading it is checked here.

    `wanted` (ISO 639-3) only spares downloads; languages are decided by the build's steps.

    :raises SourceError: if the address is unknown or nothing can be read there.
    :raises SchemaError: if columns are missing.
    """
    kind, separator, rest = address.partition(":")
    if not address or (separator and not rest):
        raise SourceError(f"{address!r} names no source; expected a path, hub:, nquads: or html:")
    if separator and kind == "hub":
        from webfaq_domains.sources.hub import HubSource

        return HubSource.open(rest, wanted)
    if separator and kind == "nquads":
        from webfaq_domains.sources.nquads import NQuadsSource

        return NQuadsSource.open(rest)
    if separator and kind == "html":
        from webfaq_domains.sources.html import HtmlSource

        return HtmlSource.open(rest)
    if separator and kind.isalpha() and len(kind) > 1 and "/" not in kind:
        raise SourceError(
            f"unknown kind of source {kind!r}; known: hub:, nquads:, html:, or a path"
        )
    from webfaq_domains.sources.files import FilesSource

    return FilesSource.open(address)
