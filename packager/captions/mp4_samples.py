"""Samples of text tracks to cues (3GPP TS 26.245, ISO/IEC 14496-30, QuickTime's c608)."""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from packager.captions import cea608, ttml, webvtt
from packager.captions.cues import MAX_CUES, Captions, Cue
from packager.captions.timecode import NTSC
from packager.captions.ttml_times import whole_milliseconds
from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import children, iter_boxes

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BOLD, _ITALIC, _UNDERLINE = 1, 2, 4
_STYLE = struct.Struct(">HHHBBI")


@dataclass(frozen=True, slots=True)
class TextSample:
    start: Fraction
    """Seconds of the media."""

    stop: Fraction
    data: bytes


Samples = Sequence[TextSample]
_Shown = tuple[Fraction, Fraction, Cue]
"""When, in seconds, with what: its own times count for nothing."""


def _tx3g(entry: bytes, samples: Samples, shift: Fraction) -> Captions:
    default = entry[32] if len(entry) > 32 else 0

    def shown() -> Iterator[_Shown]:
        for one in samples:
            text = _timed_text(one.data, default)
            if text:
                yield one.start, one.stop, Cue(0, 0, text)

    return _captions(shown(), shift)


def _timed_text(data: bytes, default: int) -> str:
    """Of a length, that many bytes of text, and boxes that modify it (TS 26.245 §5.17)."""
    length = int.from_bytes(data[:2], "big")
    if len(data) < 2 + length:
        raise MalformedBox(b"tx3g", f"{length} bytes of text in a sample of {len(data)}")
    raw = data[2 : 2 + length]
    marked = raw.startswith((b"\xfe\xff", b"\xff\xfe"))
    text = raw.decode("utf-16" if marked else "utf-8", "replace")
    faces = [default] * len(text)
    styl = children(memoryview(data)[2 + length :]).get(b"styl", memoryview(b""))
    for at in range(2, len(styl) - _STYLE.size + 1, _STYLE.size):
        start, stop, _, face, _, _ = _STYLE.unpack_from(styl, at)
        faces[start:stop] = [face] * len(faces[start:stop])
    return _lines(text, faces)


def _lines(text: str, faces: list[int]) -> str:
    written, before = "", 0
    for character, face in zip(text, faces, strict=True):
        wanted = 0 if character in "\r\n" else face
        if wanted != before:
            written += _tags(before, "/") + _tags(wanted)
            before = wanted
        written += "\n" if character in "\r\n" else _ESCAPES.get(character, character)
    lines = (line.strip(" \t\0") for line in (written + _tags(before, "/")).split("\n"))
    return "\n".join(filter(None, lines)).replace("\0", "")


def _tags(face: int, slash: str = "") -> str:
    bits = (("b", _BOLD), ("i", _ITALIC), ("u", _UNDERLINE))
    names = [name for name, bit in bits if face & bit]
    return "".join(f"<{slash}{name}>" for name in (reversed(names) if slash else names))


def _wvtt(entry: bytes, samples: Samples, shift: Fraction) -> Captions:
    config = children(memoryview(entry)[8:]).get(b"vttC", memoryview(b""))
    head = bytes(config).decode("utf-8", "replace").replace("\0", "")
    blocks = webvtt.parse(f"{head}\n\n".encode()).blocks if head.startswith("WEBVTT") else ()

    def shown() -> Iterator[_Shown]:
        for one in samples:
            for fourcc, payload in iter_boxes(memoryview(one.data)):
                if fourcc == b"vttc" and (cue := _webvtt_cue(children(payload))) is not None:
                    yield one.start, one.stop, cue

    return replace(_captions(shown(), shift), blocks=blocks)


def _webvtt_cue(boxes: dict[bytes, memoryview]) -> Cue | None:
    """Read as a file of it would be: nothing in a sample can begin another cue."""
    said = {
        name: bytes(boxes.get(name, b"")).decode("utf-8", "replace").replace("\0", "").strip()
        for name in (b"payl", b"iden", b"sttg")
    }
    text = "\n".join(line for line in re.split("\r\n|\r|\n", said[b"payl"]) if line)
    if not text or "-->" in text:
        return None
    id_ = " ".join(said[b"iden"].split())
    file = f"WEBVTT\n\n00:00.000 --> 00:01.000 {' '.join(said[b'sttg'].split())}\n{text}\n"
    found = webvtt.parse(file.encode()).cues
    return replace(found[0], id="" if "-->" in id_ else id_) if found else None


def _stpp(_: bytes, samples: Samples, shift: Fraction) -> Captions:
    """Each sample is a document, whose times are those of the track (§4.5 of 14496-30)."""
    blocks: dict[str, None] = {}

    def shown() -> Iterator[_Shown]:
        for one in samples:
            if not one.data.strip(b"\0 \r\n"):
                continue
            found = ttml.parse(one.data)
            blocks.update(dict.fromkeys(found.blocks))
            for cue in found.cues:
                start = max(Fraction(cue.start, 1000), one.start)
                stop = min(Fraction(cue.end, 1000), one.stop)
                if start < stop:
                    yield start, stop, cue

    captions = _captions(shown(), shift)
    return replace(captions, blocks=tuple(blocks))


def _c608(_: bytes, samples: Samples, shift: Fraction) -> Captions:
    """Pairs of the first field, one a frame."""

    def pairs() -> Iterator[tuple[Fraction, int, int]]:
        for one in samples:
            data = children(memoryview(one.data)).get(b"cdat", memoryview(b""))
            for at in range(0, len(data) - 1, 2):
                yield one.start + at // 2 / NTSC, data[at], data[at + 1]

    found = cea608.cues(pairs())
    seconds = ((Fraction(cue.start, 1000), Fraction(cue.end, 1000), cue) for cue in found)
    return _captions(seconds, shift)


READERS: dict[str, Callable[[bytes, Samples, Fraction], Captions]] = {
    "tx3g": _tx3g,
    "wvtt": _wvtt,
    "stpp": _stpp,
    "c608": _c608,
}


def _captions(shown: Iterable[_Shown], shift: Fraction) -> Captions:
    """Cues *shift* seconds earlier; what goes on in the next sample is one cue, as it was."""
    going: dict[tuple[str, str, str], tuple[Fraction, Fraction, Cue]] = {}
    done: list[Cue] = []
    for start, stop, cue in shown:
        key = (cue.text, cue.settings, cue.id)
        before = going.get(key)
        if before is not None and before[1] == start:
            going[key] = before[0], stop, cue
            continue
        if before is not None:
            done.extend(_timed(*before, shift))
        going[key] = start, stop, cue
        if len(done) + len(going) > MAX_CUES:
            raise Unsupported(f"more than {MAX_CUES} cues")
    for one in going.values():
        done.extend(_timed(*one, shift))
    return Captions(tuple(sorted(done, key=lambda cue: cue.start)))


def _timed(start: Fraction, stop: Fraction, cue: Cue, shift: Fraction) -> Iterator[Cue]:
    begin, end = (max(whole_milliseconds(time - shift), 0) for time in (start, stop))
    if end > begin:
        yield replace(cue, start=begin, end=end)
