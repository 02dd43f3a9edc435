"""Captions as CMAF tracks of their own: WebVTT in MP4 and IMSC 1 text (rules S-14, I-03).

(ISO/IEC 14496-30 §5 and §6, ISO/IEC 23000-19 §11.)  Times are milliseconds of the presentation,
without an edit list.  A segment holds what is shown in it and nothing of its neighbours.
"""

import itertools
import struct
from enum import StrEnum

from packager.captions.cues import MAX_BYTES, Captions, Cue
from packager.captions.imsc import document
from packager.captions.webvtt import header
from packager.errors import UnknownSegment, Unsupported
from packager.isobmff.box import box, full_box
from packager.isobmff.movie import movie_header
from packager.presentation import Timeline

TIMESCALE = 1000
_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC, _DEFAULT_BASE_IS_MOOF, _DEFAULT_FLAGS = 0x02000000, 0x020000, 0x20
_DATA_OFFSET_DURATION_SIZE = 0x301


class TextForm(StrEnum):
    """Sample entries."""

    WVTT = "wvtt"
    STPP = "stpp"


CODECS = {TextForm.WVTT: "wvtt", TextForm.STPP: "stpp.ttml.im1t"}
_BRANDS = {TextForm.WVTT: b"cwvt", TextForm.STPP: b"im1t"}
_Samples = list[tuple[int, bytes]]
"""Durations and data."""


def milliseconds(timeline: Timeline) -> Timeline:
    """*timeline* in the ticks of these tracks."""

    def scaled(tick: int) -> int:
        return (2 * tick * TIMESCALE + timeline.timescale) // (2 * timeline.timescale)

    starts = tuple(map(scaled, timeline.starts))
    end, zero = max(scaled(timeline.end), starts[-1] + 1), scaled(timeline.zero)
    return Timeline(TIMESCALE, starts, end, timeline.first, zero)


_MARKUP = 3
"""How much larger than WebVTT the same text may be in samples, as a rule."""

_HEADS = 2_000
"""Bytes of a segment that are not text, as a rule."""


def most_bandwidth(webvtt: int, timeline: Timeline) -> int:
    """Bits per second to declare, by those of the same segments as WebVTT: segments are not
    made to be measured.  Many cues at once may take more."""
    shortest = min(timeline.durations)
    return _MARKUP * webvtt + 8 * _HEADS * TIMESCALE // max(shortest, TIMESCALE)


def init(captions: Captions, form: TextForm, language: str | None) -> bytes:
    """The header of the track."""
    ftyp = box(b"ftyp", b"cmfc", bytes(4), b"iso6cmfc", _BRANDS[form])
    tkhd = full_box(
        b"tkhd", 0, 7, bytes(8), struct.pack(">II", 1, 0), bytes(20), _IDENTITY, bytes(8)
    )
    tag = language if language and language.isascii() else "und"
    letters = tag if len(tag) == 3 and tag.isalpha() else "und"
    first, second, third = (ord(letter) - 0x60 for letter in letters.lower())
    packed = first << 10 | second << 5 | third
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, TIMESCALE, 0, packed, 0))
    elng = full_box(b"elng", 0, 0, tag.encode() + b"\0")
    handler, media = (b"text", b"nmhd") if form is TextForm.WVTT else (b"subt", b"sthd")
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"\0")
    dref = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), _entry(captions, form))
    empty = [full_box(name, 0, 0, bytes(4)) for name in (b"stts", b"stsc")]
    stbl = box(
        b"stbl",
        stsd,
        *empty,
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    minf = box(b"minf", full_box(media, 0, 0), box(b"dinf", dref), stbl)
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, elng, hdlr, minf))
    trex = full_box(b"trex", 0, 0, struct.pack(">IIIII", 1, 1, 0, 0, 0))
    return ftyp + box(b"moov", movie_header(TIMESCALE, 0, 2), trak, box(b"mvex", trex))


def _entry(captions: Captions, form: TextForm) -> bytes:
    begin = bytes(6) + struct.pack(">H", 1)
    if form is TextForm.STPP:
        return box(b"stpp", begin, b"http://www.w3.org/ns/ttml\0\0\0")
    return box(b"wvtt", begin, box(b"vttC", header(captions).rstrip("\n").encode()))


def segment(
    captions: Captions, timeline: Timeline, number: int, form: TextForm, language: str | None
) -> bytes:
    """Segment *number*, from 1, of a *timeline* in milliseconds."""
    count = len(timeline.starts)
    if not 1 <= number <= count:
        raise UnknownSegment(f"segment {number} of {count}")
    start, stop = (*timeline.starts, timeline.end)[number - 1 : number + 1]
    cues = captions.shown(start, stop)
    if form is TextForm.WVTT:
        return _fragment(_samples(cues, start, stop), start, number)
    return _fragment([(stop - start, document(cues, start, stop, language))], start, number)


def _samples(cues: tuple[Cue, ...], start: int, stop: int) -> _Samples:
    """A sample for each time in which the same cues are shown; none is an empty one."""
    events: dict[int, list[tuple[int, bool]]] = {start: [], stop: []}
    for number, cue in enumerate(cues):
        events.setdefault(max(cue.start, start), []).append((number, True))
        events.setdefault(min(cue.end, stop), []).append((number, False))
    times = sorted(events)
    shown: dict[int, bytes] = {}
    samples: _Samples = []
    size = 0
    for time, following in itertools.pairwise(times):
        for number, begins in events[time]:
            if begins:
                shown[number] = _cue_box(cues[number])
            else:
                shown.pop(number, None)
        data = b"".join(shown.values()) or box(b"vtte")
        size += len(data)
        if size > MAX_BYTES:
            raise Unsupported(f"wvtt: the cues of a segment take more than {MAX_BYTES} bytes")
        samples.append((following - time, data))
    return samples


def _cue_box(cue: Cue) -> bytes:
    said = ((b"iden", cue.id), (b"sttg", cue.settings), (b"payl", cue.text))
    return box(b"vttc", *(box(name, value.encode()) for name, value in said if value))


def _fragment(samples: _Samples, start: int, number: int) -> bytes:
    rows = b"".join(struct.pack(">II", lasting, len(data)) for lasting, data in samples)
    flags = _DEFAULT_BASE_IS_MOOF | _DEFAULT_FLAGS

    def moof(offset: int) -> bytes:
        run = struct.pack(">Ii", len(samples), offset) + rows
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", number)),
            box(
                b"traf",
                full_box(b"tfhd", 0, flags, struct.pack(">II", 1, _SYNC)),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", start)),
                full_box(b"trun", 0, _DATA_OFFSET_DURATION_SIZE, run),
            ),
        )

    head = moof(len(moof(0)) + 8)
    styp = box(b"styp", b"msdh", bytes(4), b"msdhcmfscmff")
    return styp + head + box(b"mdat", *(data for _, data in samples))
