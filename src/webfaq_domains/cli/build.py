"""`webfaq-domains build`: the builders, as commands."""

from __future__ import annotations

from webfaq_domains.ground.commands import LazyGroup

#: Builder name -> where its command is.
BUILDERS = {
    "labeler": "webfaq_domains.builders.labeler:labeler_command",
    "retrieval": "webfaq_domains.builders.retrieval:retrieval",
    "texts": "webfaq_domains.builders.texts:texts",
    "webfaq": "webfaq_domains.builders.webfaq:webfaq",
    "xtreme-r": "webfaq_domains.builders.xtreme_r:xtreme_r",
}

build = LazyGroup(BUILDERS, name="build", help="Rebuild a published artifact from its sources.")
