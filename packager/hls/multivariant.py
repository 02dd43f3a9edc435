"""The HLS multivariant playlist (RFC 8216 §4.3.4, rules P-08 to P-12)."""

from dataclasses import dataclass
from fractions import Fraction

from packager.hls.attributes import quoted, tag
from packager.hls.images import ImageStream
from packager.presentation import Bitrate

_YES_NO = {True: "YES", False: "NO"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMedia:
    """EXT-X-MEDIA with TYPE=AUDIO (§4.3.4.1)."""

    # GROUP-ID
    group: str
    # NAME, unique in the group
    name: str
    # LANGUAGE
    language: str
    # DEFAULT
    default: bool
    # AUTOSELECT
    autoselect: bool
    # CHANNELS
    channels: int
    # URI
    uri: str
    # CHANNELS of joint object coding, where there is any
    joc: int = 0

    def line(self) -> str:
        attributes = {
            "TYPE": "AUDIO",
            "GROUP-ID": quoted(self.group),
            "NAME": quoted(self.name),
            "LANGUAGE": quoted(self.language),
            "DEFAULT": _YES_NO[self.default],
            "AUTOSELECT": _YES_NO[self.autoselect],
            "CHANNELS": quoted(f"{self.joc}/JOC" if self.joc else str(self.channels)),
            "URI": quoted(self.uri),
        }
        return tag("EXT-X-MEDIA", attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleMedia:
    """EXT-X-MEDIA with TYPE=SUBTITLES (§4.3.4.1)."""

    # GROUP-ID
    group: str
    # NAME, unique in the group
    name: str
    # LANGUAGE
    language: str
    # DEFAULT
    default: bool
    # AUTOSELECT
    autoselect: bool
    # FORCED
    forced: bool = False
    # CHARACTERISTICS
    characteristics: tuple[str, ...] = ()
    # URI
    uri: str

    def line(self) -> str:
        attributes = {
            "TYPE": "SUBTITLES",
            "GROUP-ID": quoted(self.group),
            "NAME": quoted(self.name),
            "LANGUAGE": quoted(self.language),
            "DEFAULT": _YES_NO[self.default],
            "AUTOSELECT": _YES_NO[self.autoselect],
            "FORCED": _YES_NO[self.forced],
            "CHARACTERISTICS": quoted(",".join(self.characteristics))
            if self.characteristics
            else None,
            "URI": quoted(self.uri),
        }
        return tag("EXT-X-MEDIA", attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedCaptionsMedia:
    """EXT-X-MEDIA with TYPE=CLOSED-CAPTIONS (§4.3.4.1)."""

    # GROUP-ID
    group: str
    # NAME, unique in the group
    name: str
    # LANGUAGE
    language: str | None
    # DEFAULT
    default: bool
    # AUTOSELECT
    autoselect: bool
    # INSTREAM-ID
    instream_id: str

    def line(self) -> str:
        attributes = {
            "TYPE": "CLOSED-CAPTIONS",
            "GROUP-ID": quoted(self.group),
            "NAME": quoted(self.name),
            "LANGUAGE": quoted(self.language) if self.language else None,
            "DEFAULT": _YES_NO[self.default],
            "AUTOSELECT": _YES_NO[self.autoselect],
            "INSTREAM-ID": quoted(self.instream_id),
        }
        return tag("EXT-X-MEDIA", attributes)


Media = AudioMedia | SubtitleMedia


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """EXT-X-STREAM-INF (§4.3.4.2)."""

    # BANDWIDTH and AVERAGE-BANDWIDTH
    bitrate: Bitrate
    # CODECS
    codecs: tuple[str, ...]
    # RESOLUTION, as displayed
    resolution: tuple[int, int] | None = None
    # FRAME-RATE
    frame_rate: Fraction | None = None
    # AUDIO
    audio: str | None = None
    # SUBTITLES
    subtitles: str | None = None
    # CLOSED-CAPTIONS
    closed_captions: str | None = None
    # SUPPLEMENTAL-CODECS
    supplemental_codecs: str | None = None
    # VIDEO-RANGE
    video_range: str | None = None
    # REQ-VIDEO-LAYOUT
    video_layout: str | None = None
    # PROGRAM-ID, which version 6 removed: for players that cannot do without
    program_id: int | None = None
    uri: str

    def line(self) -> str:
        attributes = {
            "PROGRAM-ID": self.program_id,
            **self._rates,
            "FRAME-RATE": _thousandths(self.frame_rate) if self.frame_rate else None,
            **self._range,
            "AUDIO": quoted(self.audio) if self.audio else None,
            "SUBTITLES": quoted(self.subtitles) if self.subtitles else None,
            "CLOSED-CAPTIONS": quoted(self.closed_captions) if self.closed_captions else "NONE",
        }
        return f"{tag('EXT-X-STREAM-INF', attributes)}\n{self.uri}"

    def i_frame_line(self) -> str:
        """As EXT-X-I-FRAME-STREAM-INF, of a list of key frames (§4.3.4.3; P-11)."""
        attributes = {**self._rates, **self._range, "URI": quoted(self.uri)}
        return tag("EXT-X-I-FRAME-STREAM-INF", attributes)

    @property
    def _rates(self) -> dict[str, str | int | None]:
        return {
            "BANDWIDTH": self.bitrate.peak,
            "AVERAGE-BANDWIDTH": self.bitrate.average,
            "CODECS": quoted(",".join(self.codecs)),
            "SUPPLEMENTAL-CODECS": self.supplemental_codecs
            and quoted(self.supplemental_codecs),
            "RESOLUTION": "{}x{}".format(*self.resolution) if self.resolution else None,
        }

    @property
    def _range(self) -> dict[str, str | int | None]:
        return {
            "VIDEO-RANGE": self.video_range,
            "REQ-VIDEO-LAYOUT": quoted(self.video_layout) if self.video_layout else None,
        }


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    variants: tuple[Variant, ...]
    """In the order of listing; players may start with the first."""

    media: tuple[Media, ...] = ()
    closed_captions: tuple[ClosedCaptionsMedia, ...] = ()
    i_frames: tuple[Variant, ...] = ()
    images: ImageStream | None = None

    def render(self) -> str:
        lines = [
            "#EXTM3U",
            # Nothing here needs a version, but a client that knows no EXT-X-MEDIA would play
            # without sound; 4 keeps it away (§7).
            *([f"#EXT-X-VERSION:{self._version}"] if self._version else []),
            "#EXT-X-INDEPENDENT-SEGMENTS",
            *(media.line() for media in self.media),
            *(one.line() for one in self.closed_captions),
            *(variant.line() for variant in self.variants),
            *(one.i_frame_line() for one in self.i_frames),
            *([self.images.line()] if self.images else []),
        ]
        return "\n".join(lines) + "\n"

    @property
    def _version(self) -> int:
        """0 for none; 7 for services of CEA-708, 12 for attributes that begin with REQ-."""
        if any(one.video_layout for one in self.variants):
            return 12
        if any(one.instream_id.startswith("SERVICE") for one in self.closed_captions):
            return 7
        return 4 if self.media or self.closed_captions else 0


def _thousandths(rate: Fraction) -> str:
    """Three decimals, rounded half up."""
    thousandths = int(rate * 1000 + Fraction(1, 2))
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"
