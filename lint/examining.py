"""An address of any kind: what it is, by its first octets, and who checks it."""

from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from lint.dash import presentation as dash
from lint.fetching import MEDIA_LIMIT, Fetcher, Resource, Unreachable, file_of
from lint.findings import Finding, Malformed, Report
from lint.hls import presentation as hls
from lint.isobmff.header import read_header
from lint.media import form_of
from lint.rendition import Rendition, Walker, Wanted

FILES = 10_000


def findings_of(address: str, *, most: int = 20, timeout: float = 20) -> list[Finding]:
    """What is wrong with *address*, looking at *most* segments of each rendition.

    Raises Unreachable if it leads nowhere.
    """
    fetcher, report = Fetcher(timeout), Report()
    try:
        examine(address, fetcher, report, most)
    finally:
        fetcher.close()
    return report.findings


def examine(address: str, fetcher: Fetcher, report: Report, most: int) -> None:
    """Check what *address* leads to.  Raises Unreachable if it leads nowhere."""
    if "://" not in address and _is_folder(address):
        _folder(file_of(address), fetcher, report, most)
        return
    resource = fetcher.get(address, MEDIA_LIMIT)
    try:
        _one(resource, fetcher, report, most)
    except Malformed as error:
        report.of(resource.address)("F-02.address", error.place, error.text)


def _is_folder(address: str) -> bool:
    try:
        return file_of(address).is_dir()
    except (OSError, ValueError) as error:
        raise Unreachable(str(error)) from error


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
    _files(
        [address], None, Rendition(address, "file"), Walker(fetcher, report, most, hls=False)
    )


def _files(names: list[str], header: str | None, rendition: Rendition, walker: Walker) -> None:
    """Segments that nothing declares."""

    def wanted(index: int) -> Wanted:
        return Wanted(
            base=names[index],
            uri="",
            part=None,
            place=f"file {index}",
            number=index,
            declared=Fraction(0),
            header=None if header is None else (quote(Path(header).name), None),
            whole=header is None,
        )

    rendition.slack, rendition.durations = None, [Fraction(0)] * len(names)
    walker.walk(rendition, len(names), wanted)


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
    header = str(headers[0]) if headers else None
    segments = [str(path) for path in media if path not in headers]
    walker = Walker(fetcher, report, most, hls=False)
    _files(segments, header, Rendition(str(folder), "folder"), walker)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 16)
    except OSError as error:
        raise Unreachable(error.strerror or str(error)) from error
