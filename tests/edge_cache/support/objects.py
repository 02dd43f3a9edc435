"""An origin whose bodies are known by their target, for edges that are killed."""

import re
from hashlib import shake_128

from tests.edge_cache.support.origin import Exchange, Seen

_TARGET = re.compile(r"/(\d+)-(\d+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def target_of(number: int, size: int) -> str:
    return f"/{number}-{size}"


def body_of(target: str) -> bytes:
    """The one right body of *target*: no two targets share so much as a block of theirs."""
    found = _TARGET.match(target)
    assert found, target
    size = int(found[2])
    block = shake_128(target.encode()).digest(min(size, 4096))
    numbered = (block[:-8] + at.to_bytes(8, "big") for at in range(-(-size // 4096)))
    return b"".join(numbered)[:size] if size > 4096 else block


async def serve(seen: Seen, exchange: Exchange) -> None:
    """Answer with the body, or the part of it that is asked for."""
    body = body_of(seen.target)
    lines = ("Cache-Control: max-age=3600", f'ETag: "{seen.target}"')
    asked = _RANGE.fullmatch(seen.headers.get("range", ""))
    if asked is None:
        await exchange.respond(body, *lines)
        return
    start = int(asked[1])
    stop = min(int(asked[2] or len(body)) + 1, len(body))
    told = f"Content-Range: bytes {start}-{stop - 1}/{len(body)}"
    await exchange.respond(body[start:stop], *lines, told, status="206 Partial Content")
