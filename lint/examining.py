"""An address of any kind: what it is, by its first octets, and who checks it."""

from fractions import Fraction
from pathlib import Path

from lint.dash import presentation as dash
from lint.fetching import MEDIA_LIMIT, Fetcher, Resource, Unreachable, file_of
from lint.findings import Malformed, Report
from lint.hls import presentation as hls
from lint.isobmff.header import read_header
from lint.media import form_of
from lint.rendition import Rendition, Walker, Wanted

FILES = 10_000


def examine(address: str, fetcher: Fetcher, report: Report, most: int) -> None:
    """Check what *address* leads to.  Raises Unreachable if it leads nowhere."""
    if "://" not in address and file_of(address).is_dir():
        _folder(file_of(address), fetcher, report, most)
        return
    resource = fetcher.get(address, MEDIA_LIMIT)
    try:
        _one(resource, fetcher, report, most)
    except Malformed as error:
        report.of(resource.address)("F-02.address", error.place, error.text)


def _one(resource: Resource, fetcher: Fetcher, report: Report, most: int) -> None:
    body = resource.body.removeprefix(b"\xef\xbb\xbf")
    if body.startswith(b"#EXT"):
        hls.examine(resource, fetcher, report, most)
    elif body.lstrip()[:1] == b"<":
        dash.examine(resource, fetcher, report, most)
    elif not form_of(resource.body):
        raise Malformed("byte 0", "neither a playlist, an MPD, MP4, MPEG-TS nor WebVTT")
    else:
        _segment(resource, fetcher, report, most)


def _segment(resource: Resource, fetcher: Fetcher, report: Report, most: int) -> None:
    """A segment or a header alone."""
    address, body = resource.address, resource.body
    if form_of(body) == "mp4" and b"moof" not in body:
        read_header(body, report.of(address), hls=False)
        return
    if form_of(body) == "mp4" and b"moov" not in body:
        raise Malformed(
            "file", "a media segment needs its header: give the folder or a playlist"
        )
    walker = Walker(fetcher, report, most, hls=False)
    walker.walk(Rendition(address, "file"), [_wanted(address, 0, None, whole=True)])


def _wanted(
    address: str, number: int, header: tuple[str, None] | None, *, whole: bool
) -> Wanted:
    return Wanted(
        address=address,
        part=None,
        place=f"file {number}",
        number=number,
        declared=Fraction(0),
        header=header,
        whole=whole,
    )


def _folder(folder: Path, fetcher: Fetcher, report: Report, most: int) -> None:
    """Its manifests; without one, its header and segments in the order of their names."""
    try:
        names = sorted(path for path in folder.iterdir() if path.is_file())[:FILES]
    except OSError as error:
        raise Unreachable(error.strerror or str(error)) from error
    manifests = [path for path in names if path.suffix in (".m3u8", ".mpd")]
    above = [p for p in manifests if p.suffix == ".mpd" or b"EXT-X-STREAM-INF" in _start(p)]
    for path in above or manifests:
        examine(str(path), fetcher, report, most)
    if manifests:
        return
    media = [path for path in names if form_of(_start(path)) in ("mp4", "ts")]
    if not media:
        raise Unreachable("a folder without a manifest and without media")
    headers = [
        path for path in media if b"moov" in _start(path) and b"moof" not in _start(path)
    ]
    header = (str(headers[0]), None) if headers else None
    segments = [path for path in media if path not in headers]
    walker = Walker(fetcher, report, most, hls=False)
    walker.walk(
        Rendition(str(folder), "folder"),
        [_wanted(str(p), i, header, whole=header is None) for i, p in enumerate(segments)],
    )


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 16)
    except OSError as error:
        raise Unreachable(error.strerror or str(error)) from error
