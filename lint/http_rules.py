"""How a manifest is delivered over HTTP: rules P-01 and P-18."""

from lint.fetching import Resource
from lint.findings import Say


def check_manifest(resource: Resource, types: tuple[str, ...], say: Say) -> None:
    """Nothing is said of a file."""
    headers = resource.headers
    if headers is None:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in types:
        say("P-01.type", "Content-Type", kind or "absent")
    if "gzip" not in headers.get("content-encoding", "") and len(resource.body) > 1000:
        say("P-01.gzip", "Content-Encoding", f"{len(resource.body)} octets without gzip")
    if "cache-control" not in headers:
        say("P-18.cache", "Cache-Control", "absent")
    if "etag" not in headers and "last-modified" not in headers:
        say("P-18.validator", "ETag", "neither ETag nor Last-Modified")
    elif headers.get("etag", "").startswith("W/"):
        say("P-18.weak", "ETag", headers["etag"][:60])
