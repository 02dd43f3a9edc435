"""What a fill asks the upstream beside the request, and which version a 304 speaks of.

RFC 9110 §13, RFC 9111 §4.3.
"""

from edge_cache.entry import Entry
from edge_cache.fill import Fill
from edge_cache.forwarding import combined_bytes
from edge_cache.http.conditionals import same_tag
from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.fields import Field, values
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.response import Response
from edge_cache.variants import MAX_OFFERED, Offered, if_none_match, offered


def conditions(fill: Fill, *, now: float) -> list[Field]:
    """Of what is stored, and of the part that is wanted."""
    stored, wanted = fill.stored, fill.wanted
    if wanted is None:
        return [] if stored is None or stored.is_part else list(stored.conditions())
    asked = [(b"Range", wanted.field)]
    if stored is None:
        return asked
    if now >= stored.fresh_until:
        return [*asked, *stored.conditions()]
    if stored.strong_validator is not None:  # not ours any more: all of the new one
        asked.append((b"If-Range", stored.strong_validator.encode("latin-1")))
    return asked


def held_variants(fill: Fill, tier: Tiered) -> Offered:
    """The variants of what is missing that *tier* holds, by their tags."""
    keys = tier.variants(fill.key[0])[:MAX_OFFERED]
    held = [entry for key in keys if (entry := tier.get(key)) is not None]
    return offered(
        held,
        coding=preferred_encoding(combined_bytes(fill.request.fields, b"accept-encoding")),
        authorized=fill.request.is_authorized,
    )


def offer(held: Offered) -> list[Field]:
    """The condition that tells the upstream which variants are *held*."""
    return [(b"If-None-Match", if_none_match(held))] if held else []


def named_by(response: Response, fill: Fill) -> Entry | None:
    """What a 304 says still holds; None if that is another version than we have."""
    tags, stored = values(response.fields, b"etag"), fill.stored
    if stored is None:
        return fill.offered.get(tags[0]) if tags else None
    is_ours = stored.etag is None or not tags or same_tag(tags[0], stored.etag)
    return stored if is_ours else None
