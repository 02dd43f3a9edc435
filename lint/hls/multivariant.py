"""Multivariant playlists: rules P-07, P-08, P-10 to P-12 and P-14."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from urllib.parse import parse_qs, urlsplit

from lint.findings import Malformed, Say
from lint.hls.grammar import Attributes, Line, Playlist, attributes, number, substitute
from lint.hls.keys import check_key
from lint.hls.versions import check_version

LISTED = 1_000
"""Variants and renditions of one playlist."""

_GROUPS = {"AUDIO": "AUDIO", "VIDEO": "VIDEO", "SUBTITLES": "SUBTITLES"}
_GROUPS |= {"CLOSED-CAPTIONS": "CLOSED-CAPTIONS"}
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_VIDEO = ("avc", "hvc", "hev", "av01", "vp0", "vp8", "vp9", "dv", "vvc")


@dataclass(frozen=True, slots=True)
class Variant:
    line: int
    uri: str
    attributes: Attributes

    def text(self, name: str) -> str:
        value = self.attributes.get(name)
        return "" if value is None else value.text

    @property
    def codecs(self) -> list[str]:
        return [codec.strip() for codec in self.text("CODECS").split(",") if codec.strip()]

    @property
    def has_video(self) -> bool:
        return not self.codecs or any(codec.startswith(_VIDEO) for codec in self.codecs)


@dataclass(slots=True)
class Multivariant:
    variants: list[Variant] = field(default_factory=list)
    renditions: list[Variant] = field(default_factory=list)
    i_frames: list[Variant] = field(default_factory=list)
    images: list[Variant] = field(default_factory=list)
    """Lists of sheets of thumbnails."""
    independent: bool = False


def define(playlist: Playlist, address: str, imported: dict[str, str], say: Say) -> None:
    """Fill the playlist's variables: P-14."""
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    for line in playlist.tags("EXT-X-DEFINE"):
        found = attributes(line, say)
        kinds = [name for name in ("NAME", "IMPORT", "QUERYPARAM") if name in found]
        if len(kinds) != 1 or (kinds == ["NAME"]) != ("VALUE" in found):
            say("P-14.form", line.place, f"attributes {' '.join(found)}")
            continue
        name = found[kinds[0]].text
        if not _NAME.fullmatch(name) or name in playlist.variables:
            say("P-14.name", line.place, f"{name!r} is no name, or defined before")
            continue
        if kinds == ["NAME"]:
            playlist.variables[name] = found["VALUE"].text
            continue
        known = imported if kinds == ["IMPORT"] else {k: v[0] for k, v in query.items()}
        if name not in known:
            say("P-14.source", line.place, f"{kinds[0]} {name!r} is not there")
        playlist.variables[name] = known.get(name, "")


def read_multivariant(playlist: Playlist, say: Say) -> Multivariant:
    """Raises Malformed."""
    found = Multivariant(independent=bool(playlist.tags("EXT-X-INDEPENDENT-SEGMENTS")))
    pending: tuple[Line, Attributes] | None = None
    for line in playlist.lines:
        if line.tag == "EXT-X-STREAM-INF":
            if pending is not None:
                say("P-08.uri", pending[0].place, "no address behind it")
            pending = line, attributes(line, say, playlist.variables)
        elif not line.tag and pending is not None:
            uri = substitute(line.value, line, say, playlist.variables)
            found.variants.append(Variant(pending[0].number, uri, pending[1]))
            pending = None
        elif line.tag == "EXT-X-MEDIA":
            values = attributes(line, say, playlist.variables)
            found.renditions.append(Variant(line.number, _uri(values), values))
        elif line.tag == "EXT-X-I-FRAME-STREAM-INF":
            values = attributes(line, say, playlist.variables)
            found.i_frames.append(Variant(line.number, _uri(values), values))
        elif line.tag == "EXT-X-IMAGE-STREAM-INF":
            values = attributes(line, say, playlist.variables)
            found.images.append(Variant(line.number, _uri(values), values))
        elif line.tag == "EXT-X-SESSION-KEY":
            check_key(line, attributes(line, say, playlist.variables), say)
        elif line.tag in ("EXTINF", "EXT-X-TARGETDURATION"):
            say("P-01.mixed", line.place, f"{line.tag} in a multivariant playlist")
    if pending is not None:
        say("P-08.uri", pending[0].place, "no address behind it")
    listed = (*found.variants, *found.renditions, *found.i_frames, *found.images)
    if len(listed) > LISTED:
        raise Malformed(f"line {listed[LISTED].line}", f"more than {LISTED} variants")
    for variant in found.variants:
        _variant(variant, found, say)
    for rendition in found.renditions:
        _rendition(rendition, say)
    for variant in found.i_frames:
        _i_frames(variant, say)
    _groups(found, say)
    _captions(found, say)
    if not found.independent:
        say("P-12.absent", "playlist", "no EXT-X-INDEPENDENT-SEGMENTS")
    check_version(playlist, say)
    return found


def _uri(values: Attributes) -> str:
    return values["URI"].text if "URI" in values else ""


def _variant(variant: Variant, found: Multivariant, say: Say) -> None:
    place = f"line {variant.line}"
    values = variant.attributes
    if "BANDWIDTH" not in values or values["BANDWIDTH"].kind != "integer":
        say("P-08.bandwidth", place, "no BANDWIDTH")
    if "AVERAGE-BANDWIDTH" not in values:
        say("P-08.average", place, "no AVERAGE-BANDWIDTH")
    if "CODECS" not in values:
        say("P-08.codecs", place, "no CODECS")
    if variant.has_video:
        if "RESOLUTION" not in values:
            say("P-08.resolution", place, "no RESOLUTION")
        elif values["RESOLUTION"].kind != "resolution":
            say("P-08.resolution", place, f"RESOLUTION {values['RESOLUTION'].text[:40]}")
        if number(values.get("FRAME-RATE")) is None:
            say("P-08.frame_rate", place, "no FRAME-RATE")
    for name, kind in _GROUPS.items():
        group = variant.text(name)
        if not group or (group == "NONE" and values[name].kind == "enum"):
            continue
        if not any(
            r.text("TYPE") == kind and r.text("GROUP-ID") == group for r in found.renditions
        ):
            say("P-08.group", place, f"{name} {group!r} is no group of the playlist")


def _rendition(rendition: Variant, say: Say) -> None:
    place, values = f"line {rendition.line}", rendition.attributes
    kind = rendition.text("TYPE")
    for name in ("TYPE", "GROUP-ID", "NAME"):
        if name not in values:
            say("P-10.required", place, f"no {name}")
    if kind not in _GROUPS:
        say("P-10.type", place, f"TYPE {kind!r}")
    if rendition.text("DEFAULT") == "YES" and rendition.text("AUTOSELECT") == "NO":
        say("P-10.autoselect", place, "DEFAULT=YES with AUTOSELECT=NO")
    if "FORCED" in values and kind != "SUBTITLES":
        say("P-10.forced", place, f"FORCED of {kind}")
    if kind == "SUBTITLES" and not rendition.uri:
        say("P-10.uri", place, "SUBTITLES without URI")
    if kind == "CLOSED-CAPTIONS":
        if rendition.uri:
            say("P-10.captions", place, "CLOSED-CAPTIONS with URI")
        if "INSTREAM-ID" not in values:
            say("P-10.captions", place, "CLOSED-CAPTIONS without INSTREAM-ID")
    if kind != "VIDEO" and "LANGUAGE" not in values:
        say("P-10.language", place, f"{kind} without LANGUAGE")
    if kind == "AUDIO" and "CHANNELS" not in values:
        say("P-10.channels", place, "AUDIO without CHANNELS")


def _i_frames(variant: Variant, say: Say) -> None:
    place, values = f"line {variant.line}", variant.attributes
    for name in ("URI", "BANDWIDTH"):
        if name not in values:
            say("P-11.required", place, f"no {name}")
    for name in ("FRAME-RATE", "AUDIO", "SUBTITLES", "CLOSED-CAPTIONS"):
        if name in values:
            say("P-11.forbidden", place, name)


def _groups(found: Multivariant, say: Say) -> None:
    names: set[tuple[str, str, str]] = set()
    defaults: set[tuple[str, str]] = set()
    members: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for rendition in found.renditions:
        place = f"line {rendition.line}"
        kind, group, name = (rendition.text(n) for n in ("TYPE", "GROUP-ID", "NAME"))
        if (kind, group, name) in names:
            say("P-10.name", place, f"{name!r} twice in {kind} group {group!r}")
        names.add((kind, group, name))
        if rendition.text("DEFAULT") == "YES":
            if (kind, group) in defaults:
                say("P-10.default", place, f"a second DEFAULT=YES in {kind} group {group!r}")
            defaults.add((kind, group))
        key = name, rendition.text("LANGUAGE")
        members.setdefault(kind, {}).setdefault(group, set()).add(key)
    for kind, groups in members.items():
        if len({frozenset(group) for group in groups.values()}) > 1:
            say("P-10.same", "playlist", f"{kind} groups {' '.join(groups)} differ in members")


def _captions(found: Multivariant, say: Say) -> None:
    none = [v for v in found.variants if v.text("CLOSED-CAPTIONS") == "NONE"]
    if none and len(none) != len(found.variants):
        say(
            "P-08.captions",
            f"line {none[0].line}",
            "CLOSED-CAPTIONS=NONE on some variants only",
        )
    ranges = {v.text("VIDEO-RANGE") for v in found.variants if v.has_video}
    if len(ranges) > 1 and "" in ranges:
        say("P-08.range", "playlist", "VIDEO-RANGE on some variants only")


def declared(variant: Variant, name: str) -> Fraction | None:
    return number(variant.attributes.get(name))
