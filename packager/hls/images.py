"""Image playlists (Roku's "HLS image media playlist" specification, version 0.4).

Players that do not know its tags ignore them (RFC 8216 §6.3.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from packager.hls.attributes import quoted, tag
from packager.pictures.sheets import COLUMNS, ROWS, Sheets


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStream:
    """EXT-X-IMAGE-STREAM-INF."""

    # BANDWIDTH
    bandwidth: int
    # RESOLUTION, of a tile
    resolution: tuple[int, int]
    # URI
    uri: str

    def line(self) -> str:
        attributes: dict[str, str | int | None] = {
            "BANDWIDTH": self.bandwidth,
            "RESOLUTION": "{}x{}".format(*self.resolution),
            "CODECS": quoted("jpeg"),
            "URI": quoted(self.uri),
        }
        return tag("EXT-X-IMAGE-STREAM-INF", attributes)


def image_stream(sheets: Sheets, uri: str) -> ImageStream:
    return ImageStream(bandwidth=sheets.bandwidth, resolution=sheets.tile, uri=uri)


def image_playlist(sheets: Sheets, uri: Callable[[int], str]) -> str:
    """The list of *sheets*; *uri* names one by its number."""
    width, height = sheets.tile
    tiles = tag(
        "EXT-X-TILES",
        {
            "RESOLUTION": f"{width}x{height}",
            "LAYOUT": f"{COLUMNS}x{ROWS}",
            "DURATION": f"{sheets.interval}.0",
        },
    )
    longest = min(sheets.span, max(1, round(sheets.duration)))
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{longest}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-IMAGES-ONLY",
    ]
    for number in range(1, sheets.count + 1):
        left = sheets.duration - (number - 1) * sheets.span
        micro = int(min(Fraction(sheets.span), left) * 10**6)
        lines.append(f"#EXTINF:{micro // 10**6}.{micro % 10**6:06d},\n{tiles}\n{uri(number)}")
    return "\n".join([*lines, "#EXT-X-ENDLIST\n"])
