"""One media playlist: rules P-02 to P-07, P-13, P-16 and P-17."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from lint.fetching import Range
from lint.findings import Malformed, Say
from lint.hls.grammar import Attributes, Line, Playlist, attributes, number, substitute
from lint.hls.keys import check_key
from lint.hls.versions import check_version

SEGMENTS = 200_000
_DURATION = re.compile(r"\d{1,10}(\.\d{0,20})?")
_BYTERANGE = re.compile(r"(\d{1,18})(?:@(\d{1,18}))?")


@dataclass(frozen=True, slots=True)
class Map:
    uri: str
    part: Range | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One segment of a playlist."""

    line: int
    uri: str
    duration: Fraction
    part: Range | None
    map: Map | None
    encrypted: str
    """METHOD of its key; empty if it is clear."""
    discontinuity: int
    gap: bool
    bitrate: int = 0
    """EXT-X-BITRATE, kbit/s; 0 if it has none."""


@dataclass(slots=True)
class MediaPlaylist:
    target: int = 0
    kind: str = ""
    """EXT-X-PLAYLIST-TYPE."""
    ended: bool = False
    i_frames: bool = False
    images: bool = False
    """Its entries are pictures (Roku's image media playlists)."""
    independent: bool = False
    sequence: int = 0
    part_target: Fraction | None = None
    start: Fraction | None = None
    """TIME-OFFSET of EXT-X-START, seconds."""
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    duration: Fraction | None = None
    duration_line: Line | None = None
    length: str = ""
    map: Map | None = None
    encrypted: str = ""
    discontinuity: int = 0
    gap: bool = False
    bitrate: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """Where the range before ended, by address."""


def read_media(playlist: Playlist, say: Say) -> MediaPlaylist:
    """Raises Malformed."""
    found = MediaPlaylist()
    _head(playlist, found, say)
    state = _State()
    for line in playlist.lines:
        if line.tag:
            _tag(line, playlist, found, state, say)
        else:
            _address(line, playlist, found, state, say)
    if state.duration is not None and state.duration_line is not None:
        say("P-03.alone", state.duration_line.place, "EXTINF without an address behind it")
    if not found.entries:
        say("P-03.empty", "playlist", "no segment")
    _durations(found, say)
    check_version(playlist, say)
    return found


def _head(playlist: Playlist, found: MediaPlaylist, say: Say) -> None:
    targets = playlist.tags("EXT-X-TARGETDURATION")
    if not targets or not targets[0].value.isdecimal():
        say("P-02.absent", targets[0].place if targets else "playlist", "no whole number")
    else:
        found.target = int(targets[0].value[:18])
    for line in playlist.tags("EXT-X-PLAYLIST-TYPE")[:1]:
        found.kind = line.value
        if line.value not in ("VOD", "EVENT"):
            say("P-04.type", line.place, f"{line.value!r}")
    found.ended = bool(playlist.tags("EXT-X-ENDLIST"))
    found.i_frames = bool(playlist.tags("EXT-X-I-FRAMES-ONLY"))
    found.images = bool(playlist.tags("EXT-X-IMAGES-ONLY"))
    found.independent = bool(playlist.tags("EXT-X-INDEPENDENT-SEGMENTS"))
    if found.kind == "VOD" and not found.ended:
        say("P-04.endlist", "playlist", "PLAYLIST-TYPE:VOD without ENDLIST")
    if found.ended and not found.kind:
        say("P-04.untyped", "playlist", "ENDLIST without PLAYLIST-TYPE:VOD")
    for line in playlist.tags("EXT-X-MEDIA-SEQUENCE")[:1]:
        found.sequence = int(line.value[:18]) if line.value.isdecimal() else 0
    for line in playlist.tags("EXT-X-STREAM-INF") + playlist.tags("EXT-X-MEDIA"):
        say("P-01.mixed", line.place, f"{line.tag} in a media playlist")
    _low_latency(playlist, found, say)
    _start(playlist, found, say)
    _dates(playlist, say)


def _tag(line: Line, playlist: Playlist, found: MediaPlaylist, state: _State, say: Say) -> None:
    match line.tag:
        case "EXTINF":
            text = line.value.partition(",")[0].strip()
            if "," not in line.value:
                say("P-03.comma", line.place, "no comma behind the duration")
            if not _DURATION.fullmatch(text):
                say("P-03.number", line.place, f"EXTINF {text[:40]!r}")
                text = "0"
            state.duration, state.duration_line = Fraction(text), line
        case "EXT-X-BYTERANGE":
            state.length = line.value
        case "EXT-X-MAP":
            state.map = _map(line, playlist, say)
        case "EXT-X-KEY":
            state.encrypted = check_key(line, attributes(line, say, playlist.variables), say)
        case "EXT-X-DISCONTINUITY":
            state.discontinuity += 1
        case "EXT-X-DISCONTINUITY-SEQUENCE":
            if found.entries:
                say("P-05.late", line.place, "behind the first segment")
            state.discontinuity += int(line.value[:18]) if line.value.isdecimal() else 0
        case "EXT-X-GAP":
            state.gap = True
        case "EXT-X-BITRATE":
            state.bitrate = int(line.value[:12]) if line.value.isdecimal() else 0
        case _:
            pass


def _map(line: Line, playlist: Playlist, say: Say) -> Map | None:
    found = attributes(line, say, playlist.variables)
    if "URI" not in found or found["URI"].kind != "quoted":
        say("P-06.uri", line.place, "EXT-X-MAP without a quoted URI")
        return None
    part = None
    if "BYTERANGE" in found:
        text = _BYTERANGE.fullmatch(found["BYTERANGE"].text)
        if text is None or text[2] is None or found["BYTERANGE"].kind != "quoted":
            say("P-06.range", line.place, f"BYTERANGE {found['BYTERANGE'].text[:40]}")
        else:
            part = Range(int(text[2]), int(text[1]))
    return Map(found["URI"].text, part)


def _address(
    line: Line, playlist: Playlist, found: MediaPlaylist, state: _State, say: Say
) -> None:
    if state.duration is None:
        say("P-03.missing", line.place, "an address without EXTINF before it")
        return
    if len(found.entries) >= SEGMENTS:
        raise Malformed(line.place, f"more than {SEGMENTS} segments")
    uri = substitute(line.value, line, say, playlist.variables)
    found.entries.append(
        Entry(
            line=line.number,
            uri=uri,
            duration=state.duration,
            part=_range(line, uri, state, say),
            map=state.map,
            encrypted=state.encrypted,
            discontinuity=state.discontinuity,
            gap=state.gap,
            bitrate=state.bitrate,
        )
    )
    state.duration, state.length, state.gap = None, "", False


def _range(line: Line, uri: str, state: _State, say: Say) -> Range | None:
    if not state.length:
        state.ends.pop(uri, None)
        return None
    text = _BYTERANGE.fullmatch(state.length)
    if text is None:
        say("P-06.byterange", line.place, f"EXT-X-BYTERANGE {state.length[:40]}")
        return None
    start = int(text[2]) if text[2] is not None else state.ends.get(uri)
    if start is None:
        say("P-06.byterange", line.place, "no offset, and no range of this address before")
        return None
    state.ends = {uri: start + int(text[1])}
    return Range(start, int(text[1]))


def _durations(found: MediaPlaylist, say: Say) -> None:
    for entry in found.entries:
        rounded = int(entry.duration + Fraction(1, 2))
        if found.target and rounded > found.target:
            text = f"EXTINF {float(entry.duration):g}, TARGETDURATION {found.target}"
            say("P-02.exceeded", f"line {entry.line}", text)
        if not entry.duration:
            say("P-03.zero", f"line {entry.line}", "EXTINF 0")
    lasts = sum((entry.duration for entry in found.entries), Fraction(0))
    if found.start is not None and abs(found.start) > lasts:
        say("P-17.beyond", "EXT-X-START", f"{float(found.start):g} s of {float(lasts):g} s")
    if found.kind == "VOD" and len(found.entries) > 1:
        last = found.entries[-1]
        if last.duration < Fraction(found.target, 2) and not found.i_frames:
            text = f"{float(last.duration):g} s, TARGETDURATION {found.target}"
            say("C-07.tail", f"line {last.line}", text)
    longest = max((entry.duration for entry in found.entries), default=Fraction(0))
    if found.kind == "VOD" and longest and found.target > 2 * longest + 1:
        say("P-02.loose", "playlist", f"{found.target}, the longest is {float(longest):g}")


def _dates(playlist: Playlist, say: Say) -> None:
    """P-13."""
    known: dict[str, Attributes] = {}
    lines = playlist.tags("EXT-X-DATERANGE")
    if lines and not playlist.tags("EXT-X-PROGRAM-DATE-TIME"):
        say("P-13.clock", lines[0].place, "DATERANGE without PROGRAM-DATE-TIME")
    for line in lines:
        found = attributes(line, say, playlist.variables)
        if "ID" not in found:
            say("P-13.id", line.place, "no ID")
            continue
        before = known.setdefault(found["ID"].text, {})
        if not before and "START-DATE" not in found:
            say("P-13.start", line.place, "no START-DATE")
        for name, value in found.items():
            if before.get(name, value) != value:
                say("P-13.changed", line.place, f"{name} of {found['ID'].text!r} changes")
        before |= found
        for name in ("DURATION", "PLANNED-DURATION"):
            length = number(found.get(name))
            if length is not None and length < 0:
                say("P-13.negative", line.place, f"{name} {found[name].text}")
        if "END-ON-NEXT" in found and ("CLASS" not in found or "DURATION" in found
                                       or "END-DATE" in found):  # fmt: skip
            say("P-13.next", line.place, "END-ON-NEXT without CLASS, or with an end")


def _low_latency(playlist: Playlist, found: MediaPlaylist, say: Say) -> None:
    """P-16."""
    control: Attributes = {}
    for line in playlist.tags("EXT-X-SERVER-CONTROL")[:1]:
        control = attributes(line, say, playlist.variables)
        for name, factor, check in (("HOLD-BACK", 3, "hold"), ("CAN-SKIP-UNTIL", 6, "skip")):
            value = number(control.get(name))
            if value is not None and value < factor * found.target:
                say(f"P-16.{check}", line.place, f"{name} {float(value):g}")
    for line in playlist.tags("EXT-X-PART-INF")[:1]:
        found.part_target = number(attributes(line, say).get("PART-TARGET"))
        if found.part_target is None:
            say("P-16.target", line.place, "no PART-TARGET")
            return
        hold = number(control.get("PART-HOLD-BACK"))
        if hold is None or hold < 2 * found.part_target:
            say("P-16.part_hold", line.place, f"PART-HOLD-BACK {hold and float(hold)}")
    for line in playlist.tags("EXT-X-PART"):
        length = number(attributes(line, say, playlist.variables).get("DURATION"))
        if length is None or found.part_target is None or length > found.part_target:
            say("P-16.part", line.place, f"part of {length and float(length)} s")
    if found.ended and (hints := playlist.tags("EXT-X-PRELOAD-HINT")):
        say("P-16.hint", hints[0].place, "PRELOAD-HINT and ENDLIST")


def _start(playlist: Playlist, found: MediaPlaylist, say: Say) -> None:
    """P-17."""
    for line in playlist.tags("EXT-X-START")[:1]:
        offset = number(attributes(line, say, playlist.variables).get("TIME-OFFSET"))
        if offset is None:
            say("P-17.offset", line.place, "no TIME-OFFSET")
        found.start = offset
