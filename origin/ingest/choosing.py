"""Which streams of a file are remuxed, and why the others are not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from av.stream import Disposition

from origin.ingest.programs import Program

_VIDEO = frozenset(("h264", "hevc", "av1", "vp9"))
_AUDIO = frozenset(("aac", "ac3", "eac3", "mp3", "opus", "flac", "alac"))


@dataclass(frozen=True, slots=True)
class Choice:
    streams: tuple[Any, ...]
    left_out: list[str]
    pids: frozenset[int]
    """Of the program that was chosen, as its map lists them."""


def choose(streams: Iterable[Any], programs: Sequence[Program]) -> Choice:
    """Of several programs the first with video, else the first: one file is one flavor."""
    chosen = next((one for one in programs if any(s.is_video for s in one.streams)), None)
    if chosen is None and programs:
        chosen = programs[0]
    names = {} if chosen is None else {one.pid: one.name for one in chosen.streams}
    left_out = [
        f"program {one.number}: program {chosen.number} is taken"
        for one in programs
        if chosen is not None and one is not chosen
    ]
    taken = []
    for stream in streams:
        if chosen is not None and stream.id not in names:
            continue
        reason = _reason(stream, names.get(stream.id, ""))
        if reason:
            left_out.append(f"{_place(stream, chosen is not None)}: {reason}")
        else:
            taken.append(stream)
    listed = {stream.id for stream in streams}
    left_out += [f"PID 0x{pid:x}: {name}" for pid, name in names.items() if pid not in listed]
    return Choice(tuple(taken), left_out, frozenset(names))


def _place(stream: Any, is_program: bool) -> str:
    return f"PID 0x{stream.id:x}" if is_program else f"stream {stream.index}"


def _reason(stream: Any, said: str) -> str:
    """Why *stream* is not taken; empty if it is."""
    codec = stream.codec_context
    if codec is None or stream.type not in ("video", "audio"):
        name = said or (codec.name if codec is not None else stream.type)
        return f"{name} is neither video nor audio"
    if stream.disposition & Disposition.attached_pic:
        return "a picture of the cover"
    name = codec.codec.canonical_name  # that of a decoder may be another: mp3float
    if name not in (_VIDEO if stream.type == "video" else _AUDIO):
        return f"codec {name} is not supported"
    if stream.type == "video" and not (codec.width and codec.height):
        return f"{name} without a picture in its first seconds"
    if stream.type == "audio" and not codec.sample_rate:
        return f"{name} without a sound in its first seconds"
    return ""
