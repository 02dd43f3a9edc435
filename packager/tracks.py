"""What a track is, apart from its samples."""

import struct
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from packager.codecs.aac import AOT_USAC, AacConfig
from packager.codecs.audio_streams import audio_stream
from packager.codecs.carried import CarriedAudio, CarriedVideo
from packager.codecs.dolby_vision import DolbyVision
from packager.codecs.h264 import AvcConfig, Colour
from packager.codecs.hevc import HevcConfig

_CUT_AT_SYNC = frozenset({b"ac-4", b"dtsx", b"mha1", b"mhm1", b"mlpa"})
"""Sample entries."""


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class VideoFormat:
    config: AvcConfig | HevcConfig | CarriedVideo
    width: int
    height: int
    pixel_aspect: Fraction = Fraction(1)
    colour: Colour | None = None
    matrix: bytes = b""
    """Of tkhd, where it is not the identity: rotation is kept (rule I-05)."""

    boxes: tuple[tuple[bytes, bytes], ...] = ()
    """Type and payload of what else a display must know: light levels of HDR."""

    dolby_vision: DolbyVision | None = None

    @property
    def turned(self) -> bool:
        """Whether the matrix turns the picture by a quarter: what is wide is shown upright."""
        if not self.matrix:
            return False
        across, up, _, down, along = struct.unpack_from(">5i", self.matrix)
        return across == along == 0 and bool(up and down)

    @property
    def codec(self) -> str:
        """RFC 6381."""
        vision = self.dolby_vision
        return self.config.codec if vision is None else vision.codec or self.config.codec

    @property
    def in_ts(self) -> bool:
        """Whether MPEG-TS carries it: HEVC is in fMP4 alone (rule T-06), and so is what only a
        decoder of Dolby Vision is told of."""
        vision = self.dolby_vision
        return isinstance(self.config, AvcConfig) and not (vision and vision.entry)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    config: AacConfig | CarriedAudio

    @property
    def codec(self) -> str:
        return self.config.codec

    @property
    def in_ts(self) -> bool:
        """Whether MPEG-TS and packed audio carry it."""
        return audio_stream(self.config) is not None

    @property
    def cut_at_sync(self) -> bool:
        """Whether frames lean on those before them, so that only sync samples begin a segment
        (rule C-04).  Of what does not, a table of sync samples is a writer's mistake."""
        if isinstance(self.config, AacConfig):
            return self.config.object_type == AOT_USAC
        return self.config.entry in _CUT_AT_SYNC


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the media that an edit list presents, in ticks of the track."""

    at: int
    """When its presentation begins, from the presentation zero."""

    start: int
    """Media time of what is presented then."""

    length: int | None
    """Of its presentation; None runs to the end of the media."""

    still: bool = False
    """A dwell: the one picture at *start* stands for all of *length*; no sound."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Where the presentation lies on the media timeline, in ticks of the track."""

    origin: int = 0
    """Media time of the presentation zero: positive where an edit trims or takes out
    priming, negative where an empty edit delays."""

    end: int | None = None
    """Media time at which the edit ends; None where it runs to the end of the media."""

    pieces: tuple[Piece, ...] = ()
    """Where one origin does not tell all: what is presented, in order.  ``packager.splicing``
    makes one timeline of them, on which an edit without pieces lies."""


@dataclass(frozen=True, slots=True)
class Track:
    id: int
    format: VideoFormat | AudioFormat
    timescale: int
    edit: Edit = Edit()
    language: str | None = None
    """BCP 47."""

    @property
    def kind(self) -> Kind:
        return Kind.VIDEO if isinstance(self.format, VideoFormat) else Kind.AUDIO
