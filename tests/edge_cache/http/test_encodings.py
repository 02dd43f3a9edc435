"""Accept-Encoding folded to gzip or identity (RFC 9110 §12.5.3)."""

import pytest

from edge_cache.http.encodings import preferred_encoding

CASES = {
    "none": (None, b"identity"),
    "empty": (b"", b"identity"),
    "gzip": (b"gzip", b"gzip"),
    "a browser": (b"gzip, deflate, br, zstd", b"gzip"),
    "case and old name": (b"X-GZip", b"gzip"),
    "weighted": (b"br;q=1.0, gzip ; q=0.1", b"gzip"),
    "refused": (b"gzip;q=0", b"identity"),
    "refused beside a star": (b"gzip;q=0.0, *", b"identity"),
    "star": (b"*", b"gzip"),
    "star refused": (b"identity, *;q=0", b"identity"),
    "other codings": (b"br, zstd", b"identity"),
    "a weight that is none": (b"gzip;q=high", b"identity"),
    "another parameter": (b"gzip;x=0", b"gzip"),
}


@pytest.mark.parametrize(("header", "expected"), CASES.values(), ids=CASES)
def test_preferred_encoding(header: bytes | None, expected: bytes) -> None:
    assert preferred_encoding(header) == expected
