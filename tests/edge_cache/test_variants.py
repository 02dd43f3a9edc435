"""Which variants are offered to the upstream in place of one that is not held."""

import pytest

from edge_cache.entry import Entry
from edge_cache.http.fields import Fields
from edge_cache.parts import Parts
from edge_cache.variants import if_none_match, offered
from tests.edge_cache.support.entries import entry

GZIP = (b"Content-Encoding", b"gzip")


def tagged(tag: bytes, *fields: tuple[bytes, bytes], **more: object) -> Entry:
    lines: Fields = ((b"ETag", tag), *fields)
    return entry(fields=lines, **more)  # type: ignore[arg-type]


PLAIN = tagged(b'"a"')
CODED = tagged(b'"z"', GZIP)
OTHER = tagged(b'"a"', body=b"other bytes")
SAME = tagged(b'"a"', body=PLAIN.body)
PUBLIC = tagged(b'"p"', shareable=True)

CASES: dict[str, tuple[list[Entry], bytes, bool, str]] = {
    "none": ([], b"gzip", False, ""),
    "two": ([PLAIN, PUBLIC], b"identity", False, '"a", "p"'),
    "without a tag": ([entry()], b"gzip", False, ""),
    "a weak tag": ([tagged(b'W/"a"')], b"gzip", False, ""),
    "what is no tag": ([tagged(b"a"), tagged(b'"a", "b"')], b"gzip", False, ""),
    "a tag too long": ([tagged(b'"%b"' % (b"a" * 127))], b"gzip", False, ""),
    "coded, for whom it is": ([CODED], b"gzip", False, '"z"'),
    "coded, for another": ([CODED], b"identity", False, ""),
    "plain, for all": ([PLAIN], b"gzip", False, '"a"'),
    "one tag on two bodies": ([PLAIN, PUBLIC, OTHER], b"gzip", False, '"p"'),
    "one tag on one body, twice": ([PLAIN, SAME], b"gzip", False, '"a"'),
    "with authorization": ([PLAIN, PUBLIC], b"gzip", True, '"p"'),
    "an error": ([tagged(b'"a"', status=404)], b"gzip", False, ""),
    "a part": ([tagged(b'"a"', parts=Parts(9))], b"gzip", False, ""),
}


@pytest.mark.parametrize(("held", "coding", "authorized", "sent"), CASES.values(), ids=CASES)
def test_offered(held: list[Entry], coding: bytes, authorized: bool, sent: str) -> None:
    found = offered(held, coding=coding, authorized=authorized)
    assert if_none_match(found) == sent.encode()
    assert all(entry.etag == tag for tag, entry in found.items())
