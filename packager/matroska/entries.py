"""Tracks of a segment as they are described (RFC 9559 §5.1.4), before anything is decoded."""

from dataclasses import dataclass, field, replace

from packager.errors import MalformedElement, PackagerError, Unsupported
from packager.languages import bcp47
from packager.matroska.ebml import children, elements, floating, text, unsigned
from packager.source import MAX_TRACKS

VIDEO, AUDIO = 1, 2
_KINDS = {
    3: "complex",
    16: "logo",
    17: "subtitle",
    18: "buttons",
    32: "control",
    33: "metadata",
}
_ENTRY, _NUMBER, _TYPE, _CODEC, _PRIVATE = 0xAE, 0xD7, 0x83, 0x86, 0x63A2
_DEFAULT_DURATION, _DELAY = 0x23E383, 0x56AA
_LANGUAGE, _LANGUAGE_BCP47 = 0x22B59C, 0x22B59D
_ENCODINGS, _ENCODING, _COMPRESSION, _ALGORITHM, _ENCRYPTION = (
    0x6D80, 0x6240, 0x5034, 0x4254, 0x5035
)  # fmt: skip
_ALGORITHMS = {0: "zlib", 1: "bzlib", 2: "lzo1x", 3: "header stripping"}
_VIDEO, _AUDIO, _MAPPING, _MAPPED_TYPE, _MAPPED_DATA = 0xE0, 0xE1, 0x41E4, 0x41E7, 0x41ED
_RATE, _CHANNELS = 0xB5, 0x9F
MAX_PRIVATE = 64 << 10
_MAX_NANOSECONDS = 10**13
"""Of a frame or a delay: three hours."""


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    kind: int
    codec: str
    private: bytes = b""
    default_duration: int = 0
    """Nanoseconds; 0 where it is not told."""

    delay: int = 0
    """CodecDelay, nanoseconds."""

    language: str | None = None
    """BCP 47."""

    encoding: str = ""
    """Why its frames do not lie in the file as they are; empty where they do."""

    video: memoryview = field(default=memoryview(b""), compare=False)
    rate: float = 8000.0
    channels: int = 1
    mapped: tuple[tuple[int, bytes], ...] = ()
    """Type and data of BlockAdditionMappings."""

    broken: PackagerError | None = field(default=None, compare=False)
    """What is wrong with its description: of this track alone, others may be good."""


def parse_entries(tracks: memoryview) -> tuple[Entry, ...]:
    found: list[Entry] = []
    for identifier, payload in elements(tracks, "Tracks"):
        if identifier != _ENTRY:
            continue
        if len(found) == MAX_TRACKS:
            raise Unsupported(f"Tracks: more than {MAX_TRACKS} tracks")
        found.append(_entry(payload))
    if len({entry.number for entry in found}) < len(found):
        raise MalformedElement("TrackNumber", "the same in two tracks")
    return tuple(found)


def _entry(data: memoryview) -> Entry:
    found = children(data, "TrackEntry")

    def number(identifier: int, name: str, default: int) -> int:
        return unsigned(found[identifier], name) if identifier in found else default

    if not (track := number(_NUMBER, "TrackNumber", 0)):
        raise MalformedElement("TrackNumber", "missing or zero")
    plain = Entry(
        number=track,
        kind=number(_TYPE, "TrackType", 0),
        codec=text(found[_CODEC]) if _CODEC in found else "",
    )
    try:
        return _described(plain, found, data)
    except PackagerError as error:
        return replace(plain, broken=error)


def _described(plain: Entry, found: dict[int, memoryview], data: memoryview) -> Entry:
    """*plain* with what else the elements *found* in the entry *data* say."""

    def nanoseconds(identifier: int, name: str) -> int:
        value = unsigned(found[identifier], name) if identifier in found else 0
        if value > _MAX_NANOSECONDS:
            raise MalformedElement(name, f"{value} nanoseconds are out of range")
        return value

    private = found.get(_PRIVATE, memoryview(b""))
    if len(private) > MAX_PRIVATE:
        raise Unsupported(f"CodecPrivate: {len(private)} bytes are more than {MAX_PRIVATE}")
    audio = children(found.get(_AUDIO, memoryview(b"")), "Audio")
    channels = audio.get(_CHANNELS)
    return replace(
        plain,
        private=bytes(private),
        default_duration=nanoseconds(_DEFAULT_DURATION, "DefaultDuration"),
        delay=nanoseconds(_DELAY, "CodecDelay"),
        language=_language(found),
        encoding=_encoding(found.get(_ENCODINGS)),
        video=found.get(_VIDEO, memoryview(b"")),
        rate=floating(audio[_RATE], "SamplingFrequency") if _RATE in audio else 8000.0,
        channels=unsigned(channels, "Channels") if channels is not None else 1,
        mapped=_mapped(data),
    )


def _language(found: dict[int, memoryview]) -> str | None:
    """§5.1.4.1.19: without any, it is English."""
    if _LANGUAGE_BCP47 in found:
        return bcp47(text(found[_LANGUAGE_BCP47]))
    return bcp47(text(found[_LANGUAGE])) if _LANGUAGE in found else "en"


def _encoding(data: memoryview | None) -> str:
    if data is None:
        return ""
    for identifier, payload in elements(data, "ContentEncodings"):
        if identifier == _ENCODING:
            parts = children(payload, "ContentEncoding")
            if _ENCRYPTION in parts:
                return "ContentEncryption: the frames are encrypted"
            compression = children(
                parts.get(_COMPRESSION, memoryview(b"")), "ContentCompression"
            )
            algorithm = unsigned(
                compression.get(_ALGORITHM, memoryview(b"")), "ContentCompAlgo"
            )
            name = _ALGORITHMS.get(algorithm, f"algorithm {algorithm}")
            return f"ContentCompression: the frames are not stored whole ({name})"
    return ""


def _mapped(data: memoryview) -> tuple[tuple[int, bytes], ...]:
    found = []
    for identifier, payload in elements(data, "TrackEntry"):
        if identifier == _MAPPING:
            parts = children(payload, "BlockAdditionMapping")
            if _MAPPED_TYPE in parts and len(parts.get(_MAPPED_DATA, b"")) <= MAX_PRIVATE:
                kind = unsigned(parts[_MAPPED_TYPE], "BlockAddIDType")
                found.append((kind, bytes(parts.get(_MAPPED_DATA, b""))))
    return tuple(found[:16])


def kind_of(entry: Entry) -> str:
    return _KINDS.get(entry.kind, f"type {entry.kind}")
