"""A 206 to a part of a body that is kept (RFC 9111 §3.3, §3.4).

What arrives is put to what is held of the same version.  Another version begins anew: bytes of
two never stand together.
"""

from collections.abc import Callable

from edge_cache.appraisal import Appraisal
from edge_cache.entry import Entry, strong_validator, updated_fields
from edge_cache.errors import Failure, UpstreamError
from edge_cache.fill import Wanted
from edge_cache.http.fields import Fields, combined, without
from edge_cache.http.ranges import ByteRange, parse_content_range
from edge_cache.parts import Parts
from edge_cache.upstream.response import Response

_OF_THE_PART = frozenset((b"content-range",))


def as_whole(fields: Fields, stored: Entry | None) -> Fields:
    """The fields of a 206 as those of the whole, with what *stored* has beside them."""
    fields = without(fields, _OF_THE_PART)
    if stored is None or not _is_same_version(fields, stored):
        return fields
    return updated_fields(stored.fields, fields)


async def gather(
    wanted: Wanted,
    response: Response,
    appraisal: Appraisal,
    stored: Callable[[], Entry | None],
    *,
    limit: int,
    keep: int,
    timeout: float,  # noqa: ASYNC109 - between two pieces
    now: float,
) -> Entry | None:
    """What is held with the part in *response*; None if that is not the part asked for.

    At most *limit* bytes are read, and *keep* bytes kept.  Nothing is read of a refused one.
    *stored* is asked when the part is there: other parts may have come meanwhile.
    """
    told = parse_content_range(combined(response.fields, b"content-range"))
    if told is None:
        return None
    part, size = told
    if not _answers(part, size, wanted) or len(part) > limit:
        return None
    if response.length not in (None, len(part)):
        return None
    data = await _read(response, len(part), timeout)
    held = stored()
    if held is not None and _is_whole(held, response.fields, size):  # it has come meanwhile
        return appraisal.entry(held.body, now=now)
    parts = _held(response.fields, held, size).with_run(part.start, data, keep)
    whole = _in_memory(parts) if size <= keep else None
    if whole is None:
        return appraisal.entry(b"", now=now, parts=parts)
    return appraisal.entry(whole, now=now)


def _in_memory(parts: Parts) -> bytes | None:
    """The whole body, if all of it is there and in RAM."""
    pieces = [
        piece for piece in parts.read(0, parts.size) or () if isinstance(piece, memoryview)
    ]
    whole = b"".join(pieces)
    return whole if len(whole) == parts.size else None


def _answers(part: ByteRange, size: int, wanted: Wanted) -> bool:
    if wanted.start is None:
        return part.stop == size and len(part) == min(wanted.stop, size)
    return part.start == wanted.start and part.stop == min(wanted.stop, size)


def _is_whole(held: Entry, fields: Fields, size: int) -> bool:
    is_all = held.parts is None and held.size == size
    return is_all and _is_same_version(fields, held)


def _held(fields: Fields, stored: Entry | None, size: int) -> Parts:
    if stored is None or stored.parts is None or stored.size != size:
        return Parts(size)
    return stored.parts if _is_same_version(fields, stored) else Parts(size)


def _is_same_version(fields: Fields, stored: Entry) -> bool:
    validator = strong_validator(fields)
    return validator is not None and validator == stored.strong_validator


async def _read(response: Response, size: int, timeout: float) -> bytes:  # noqa: ASYNC109
    pieces: list[bytes] = []
    read = 0
    while piece := await response.read(timeout):
        read += len(piece)
        if read > size:
            raise UpstreamError(Failure.MALFORMED)
        pieces.append(piece)
    if read < size:
        raise UpstreamError(Failure.TRUNCATED)
    return b"".join(pieces)
