"""What a manifest says, before it is HLS or DASH.

    Presentation --(0..n)--> VideoRendition | AudioRendition | TextRendition --> Timeline

A rendition is one track of one flavor as a player sees it.  Every time is in presentation
time, that is after the edit list, in ticks of the rendition's own timescale; no writer
meets a sample table or a float.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from operator import sub

from packager.codecs.channel_layouts import NO_LAYOUT, ChannelLayout
from packager.codecs.h264 import Colour


@dataclass(frozen=True, slots=True)
class Timeline:
    """Where the segments of one rendition lie."""

    timescale: int
    """Ticks per second."""

    starts: tuple[int, ...]
    """Earliest presentation time of each segment.  Not negative: samples before the
    presentation zero (AAC priming, decoder pre-roll) travel in segment 1 but do not count."""

    end: int
    """Presentation time at which the last segment ends."""

    first: int = 1
    """The number of the first segment: of a clip, that which it has in the whole."""

    zero: int = 0
    """Presentation time at which the clip begins."""

    @property
    def durations(self) -> tuple[int, ...]:
        return tuple(map(sub, (*self.starts[1:], self.end), self.starts))


@dataclass(frozen=True, slots=True)
class Bitrate:
    """Bits per second of one rendition, or one muxed variant, container included."""

    peak: int
    """RFC 8216 §4.3.4.2 BANDWIDTH: the largest rate of any run of segments that lasts
    0.5 to 1.5 target durations."""

    average: int
    """AVERAGE-BANDWIDTH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition(ABC):
    flavor: int
    """1-based, the number after ``-f``."""

    track: int
    """1-based among the tracks of its kind in the flavor, the number after ``-v`` or ``-a``."""

    codec: str
    """RFC 6381, e.g. ``avc1.64001f``."""

    timeline: Timeline

    bitrate: Bitrate
    """As CMAF segments of its own."""

    bandwidth: int
    """MPD@bandwidth (ISO/IEC 23009-1 §5.3.5.2): the leaky bucket rate for the
    presentation's ``min_buffer``."""

    language: str | None = None
    """BCP 47; None when the source does not say."""

    label: str | None = None
    default: bool = False

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique in a presentation, as selectors write it: ``f1-v1``."""


class DynamicRange(StrEnum):
    SDR = "sdr"
    HLG = "hlg"
    HDR10 = "hdr10"
    """Perceptual quantizer (PQ), with or without metadata."""

    DOLBY_VISION = "dv"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRendition(Rendition):
    width: int
    """Pixels of the coded picture after cropping."""

    height: int
    pixel_aspect: Fraction = Fraction(1)
    """Sample aspect ratio, horizontal to vertical."""

    frame_rate: Fraction | None = None
    """Frames per second; the average where it varies; None for a single frame."""

    dynamic_range: DynamicRange = DynamicRange.SDR
    supplemental_codec: str | None = None
    """With its brand, of what some decoders show better: ``dvh1.08.07/db4h``."""

    colour: Colour | None = None
    stereo: bool = False
    """A view for each eye (MV-HEVC)."""

    projection: str = "rect"
    """Of vexu: ``rect``, ``equi``, ``hequ``, …"""

    turned: bool = False
    """Shown turned by a quarter: *width* and *height* are those of the coded picture."""

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height in square pixels, as it is shown."""
        width = round(self.width * self.pixel_aspect) or 1
        return (self.height, width) if self.turned else (width, self.height)

    @property
    def name(self) -> str:
        return f"f{self.flavor}-v{self.track}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRendition(Rendition):
    channels: int
    sample_rate: int
    """Hz, of the decoder's output."""

    joc: int = 0
    """Complexity of joint object coding (Dolby Atmos in E-AC-3); 0 for none."""

    layout: ChannelLayout = NO_LAYOUT
    """Whose speakers the channels are for."""

    alike: int = 1
    """1-based among the tracks of its flavor of the same language, label, codec and channels:
    nothing tells them apart, but they are not the same sound."""

    @property
    def name(self) -> str:
        return f"f{self.flavor}-a{self.track}"

    @property
    def choice(self) -> tuple[str | None, str | None, int]:
        """What a listener chooses: one sound, in whatever encodings there are of it."""
        return self.language, self.label, self.alike


class Purpose(StrEnum):
    """What captions are for."""

    SUBTITLES = "subtitles"
    """What is said."""

    CAPTIONS = "captions"
    """What is heard, for those who cannot hear it (SDH)."""

    FORCED = "forced"
    """What must be read whatever a viewer chose: signs, and speech in another language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRendition(Rendition):
    """A file of captions beside the flavors; ``track`` counts those of the presentation."""

    flavor: int = 0
    """Of none."""

    codec: str = ""
    """None: the file has no container."""

    purpose: Purpose = Purpose.SUBTITLES

    @property
    def name(self) -> str:
        return f"s{self.track}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedCaptions:
    """Captions within the pictures (CEA-608, CEA-708): somebody says that they are there."""

    id: str
    """``CC1`` to ``CC4``, ``SERVICE1`` to ``SERVICE63``."""

    label: str
    language: str | None = None
    """BCP 47."""

    code: str | None = None
    """The same, ISO 639-2."""

    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    video: tuple[VideoRendition, ...]
    audio: tuple[AudioRendition, ...]
    text: tuple[TextRendition, ...] = ()

    closed_captions: tuple[ClosedCaptions, ...] = ()
    aligned: bool = True
    """Every video rendition starts its segments at the same times."""

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        return (*self.video, *self.audio, *self.text)

    @property
    def duration(self) -> Fraction:
        """Seconds, of the longest rendition."""
        lines = [rendition.timeline for rendition in self.renditions]
        return max(Fraction(line.end - line.zero, line.timescale) for line in lines)
