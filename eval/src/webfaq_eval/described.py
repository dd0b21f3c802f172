"""A protocol in words, for captions and notes."""

from __future__ import annotations

from webfaq_eval.results import Protocol


def protocol_text(protocol: Protocol) -> str:
    """Say a protocol in words."""
    layer = "last layer" if protocol.layer is None else f"layer {protocol.layer}"
    length = "own length" if protocol.max_length is None else f"{protocol.max_length} tokens"
    return (
        f"{protocol.pooling} pooling, {layer}, {'' if protocol.normalize else 'not '}normalised, "
        f"{protocol.similarity}, query prefix {protocol.query_prefix!r}, passage prefix "
        f"{protocol.passage_prefix!r}, {length}, {protocol.dtype}, {protocol.pool} pool, runs "
        f"{protocol.depth} deep"
    )
