"""`webfaq-domains build`: the builders, as commands."""

from __future__ import annotations

from webfaq_domains.cli import LazyGroup

#: Builder name -> where its command is.
BUILDERS = {
    "labeler": "webfaq_domains.builders.labeler:labeler_command",
    "webfaq": "webfaq_domains.builders.webfaq:webfaq",
}

build = LazyGroup(BUILDERS, name="build", help="Rebuild a published artifact from its sources.")
