"""One file in one way as a client finds it: its lists and the media that they name.

Lists are read here with parsers that are not ours.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

import m3u8

from tests.conformance.laboratory import Laboratory

MPD = "{urn:mpeg:dash:schema:mpd:2011}"


class Way(StrEnum):
    """Protocol and container."""

    HLS_TS = "HLS"
    HLS_FMP4 = "HLS fMP4"
    DASH = "DASH"
    CMAF = "CMAF"

    @property
    def folder(self) -> str:
        return {
            Way.HLS_TS: "/hls/e/{}/",
            Way.HLS_FMP4: "/hls/container/fmp4/e/{}/",
            Way.DASH: "/dash/e/{}/",
            Way.CMAF: "/cmaf/e/{}/",
        }[self]

    @property
    def manifests(self) -> tuple[str, ...]:
        return {Way.DASH: ("manifest.mpd",), Way.CMAF: ("master.m3u8", "manifest.mpd")}.get(
            self, ("master.m3u8",)
        )


@dataclass(frozen=True)
class Segmented:
    """A media playlist or a representation."""

    name: str
    init: str | None
    media: tuple[str, ...]
    starts: tuple[Fraction, ...]
    """Seconds of the presentation, for each segment and the end."""

    zero: Fraction = Fraction(0)
    """presentationTimeOffset, seconds."""

    @property
    def container(self) -> str:
        if self.init is not None:
            return "fMP4"
        suffix = self.media[0].rpartition(".")[2]
        return "TS" if suffix == "ts" else f"packed .{suffix}"

    @property
    def tracks(self) -> str:
        """``v1-a1``, without the flavor, which is the only one."""
        return "-".join(re.findall(r"(?<=-)[va]\d+", self.name))


@dataclass(frozen=True)
class Presented:
    folder: str
    playlists: dict[str, str]
    mpds: dict[str, str]
    renditions: tuple[Segmented, ...]
    """Of pictures and sound."""

    texts: tuple[Segmented, ...]
    """Playlists of captions."""


class NotPresented(Exception):
    """A manifest is refused: its status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


def present(lab: Laboratory, name: str, way: Way) -> Presented:
    """Fetch what *way* lists of a file that was taken."""
    folder = way.folder.format(lab.take(name).entry)
    playlists: dict[str, str] = {}
    mpds: dict[str, str] = {}
    found: list[Segmented] = []
    texts: list[Segmented] = []
    for manifest in way.manifests:
        answer = lab.ask(folder + manifest)
        if answer.status != 200:
            raise NotPresented(answer.status, answer.headers.get("x-headrace-error", ""))
        text = answer.body.decode()
        if manifest.endswith(".mpd"):
            mpds[manifest] = text
            found += representations(text)
        else:
            playlists[manifest] = text
            for uri, is_text in listed(text).items():
                playlists[uri] = lab.get(folder + uri).decode()
                (texts if is_text else found).append(media_playlist(uri, playlists[uri]))
    return Presented(folder, playlists, mpds, tuple(found), tuple(texts))


def listed(text: str) -> dict[str, bool]:
    """The media playlists that a multivariant playlist names, and whether they are captions."""
    master: Any = m3u8.loads(text)
    names = {one.uri: False for one in master.playlists}
    return names | {one.uri: one.type == "SUBTITLES" for one in master.media if one.uri}


def media_playlist(uri: str, text: str) -> Segmented:
    found: Any = m3u8.loads(text)
    starts = [Fraction(0)]
    for one in found.segments:
        starts.append(starts[-1] + Fraction(str(one.duration)))
    init = found.segments[0].init_section
    return Segmented(
        uri,
        init.uri if init else None,
        tuple(one.uri for one in found.segments),
        tuple(starts),
    )


def representations(text: str) -> list[Segmented]:
    return [representation(one, given) for _, one, given in adaptations(text)]


def adaptations(text: str) -> Iterator[tuple[ET.Element, ET.Element, ET.Element]]:
    """Each AdaptationSet, Representation and SegmentTemplate of an MPD; not of captions."""
    for adaptation in ET.fromstring(text).iter(f"{MPD}AdaptationSet"):
        if adaptation.get("contentType") == "text":
            continue
        outer = adaptation.find(f"{MPD}SegmentTemplate")
        for one in adaptation.iter(f"{MPD}Representation"):
            inner = one.find(f"{MPD}SegmentTemplate")
            given = outer if inner is None else inner
            assert given is not None, one.attrib
            yield adaptation, one, given


def representation(one: ET.Element, template: ET.Element, *, strict: bool = True) -> Segmented:
    """Its addresses and times, less presentationTimeOffset."""
    scale = int(template.get("timescale", "1"))
    offset = int(template.get("presentationTimeOffset", "0"))
    number = int(template.get("startNumber", "1"))
    ticks = timeline(template, strict=strict)
    filled = {
        "$RepresentationID$": one.attrib["id"],
        "$Bandwidth$": one.attrib["bandwidth"],
    }
    init, media = template.attrib["initialization"], template.attrib["media"]
    for name, value in filled.items():
        init, media = init.replace(name, value), media.replace(name, value)
    return Segmented(
        one.attrib["id"],
        init,
        tuple(media.replace("$Number$", str(number + n)) for n in range(len(ticks) - 1)),
        tuple(Fraction(tick - offset, scale) for tick in ticks),
        Fraction(offset, scale),
    )


def timeline(template: ET.Element, *, strict: bool = True) -> list[int]:
    """Where segments start, and the end; *strict* where they must run on."""
    ticks: list[int] = []
    at = 0
    for row in template.iter(f"{MPD}S"):
        given = row.get("t")
        if given is not None:
            assert not strict or not ticks or int(given) == at, "a gap or an overlap"
            at = int(given)
        for _ in range(int(row.get("r", "0")) + 1):
            ticks.append(at)
            at += int(row.attrib["d"])
    return [*ticks, at]
