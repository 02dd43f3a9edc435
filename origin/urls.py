"""The URL grammar (design §3), parsed once into a value that everything else takes.

    /{protocol}/[container/fmp4/]{source}/{file}

    source  e/{entry}   local/{file}   local/{prefix},{a},{b},{postfix}.urlset
            p/{partner}/…/serveFlavor/…   one flavor or several (origin.contract.serve_flavor)
            mapped/{name}   remote/{file}   and what begins like none of these: a mapping too
            and behind it parameters (origin.parameters)
    file    master.m3u8  index[-f1][-v1][-a1].m3u8  manifest.mpd
            seg-{n}…[-x{token}].ts|m4s|aac|ac3|ec3|mp3   fragment-{n}….m4s   init….mp4
            thumb|frame-{ms}[-f1][-v1][-w{width}][-h{height}][-x{token}].jpg   sheet-{n}….jpg
            images.m3u8   storyboard.vtt
            iframes[-f1]-v1.m3u8   key-{n}[-f1]-v1[-x{token}].ts|m4s

A path is percent-decoded once.  What is left over, doubled or out of order is refused: one
resource has one URL, but for its percent-encoding, or caches hold it twice.
"""

import posixpath
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote

from metadata.errors import BadId
from metadata.ids import check_id
from origin.contract.serve_flavor import (
    ServeSequence,
    parse_serve_flavors,
    parse_serve_sequence,
)
from origin.contract.urlset import split_urlset
from origin.errors import BadUrl
from origin.parameters import NAMES as PARAMETERS
from origin.parameters import NONE, Parameters, split_parameters, without_clip
from origin.paths import path_segments
from packager.captions.fmp4 import TextForm
from packager.recipe import Choice


class Protocol(StrEnum):
    HLS = "hls"
    DASH = "dash"
    CMAF = "cmaf"
    THUMB = "thumb"
    """Pictures."""


@dataclass(frozen=True, slots=True)
class EntrySource:
    """All ready flavors of an entry."""

    entry: str

    def __str__(self) -> str:
        return f"e/{self.entry}"


@dataclass(frozen=True, slots=True)
class LocalSource:
    """Files below the configured root, in the URL's order."""

    files: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"local/{self.text}"


@dataclass(frozen=True, slots=True)
class FlavorsSource:
    """Flavors of an entry, in the URL's order."""

    entry: str
    partner: int
    flavors: tuple[tuple[str, int | None], ...]
    """Ids and versions; None is the current one."""

    text: str
    captions: tuple[str, ...] = ()
    """Languages of those that are listed too."""

    storages: tuple[int, ...] = ()
    """Ids of remote storages to read from before others."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SequenceSource:
    """Entries one after the other: it has manifests alone, and media is its entries'."""

    asked: ServeSequence
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """Files of the configured server, in the URL's order."""

    files: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"remote/{self.text}"


@dataclass(frozen=True, slots=True)
class MappedSource:
    """What mappings of these names say."""

    names: tuple[str, ...]
    text: str
    bare: bool = False
    """Without a word before the name, as the packager has it that we take the place of."""

    def __str__(self) -> str:
        return self.text if self.bare else f"mapped/{self.text}"


Source = (
    EntrySource | FlavorsSource | LocalSource | MappedSource | RemoteSource | SequenceSource
)


class FileKind(StrEnum):
    MASTER = "master"
    INDEX = "index"
    MANIFEST = "manifest"
    INIT = "init"
    SEGMENT = "segment"
    SUBTITLES = "subtitles"
    """Captions as one file."""

    THUMB = "thumb"
    """The picture of a time: of the key frame beside it, unless the origin is set otherwise."""

    FRAME = "frame"
    """The frame that is shown at a time."""

    SHEET = "sheet"
    """Small pictures at even distances, and the lists of such sheets."""

    IMAGES = "images"
    I_FRAMES = "iframes"
    """The list of key frames, for trick play."""

    KEY = "key"
    """A key frame as a segment of its own, by its number from 1."""

    STORYBOARD = "storyboard"


OF_TRACKS = (FileKind.INDEX, FileKind.I_FRAMES)
"""Lists of single tracks, of which nothing is left out."""


@dataclass(frozen=True, slots=True)
class File:
    """What of a presentation is asked for."""

    kind: FileKind
    choice: Choice | None = None
    """Tracks; None where the kind takes no selectors."""

    number: int = 0
    """Of a segment, from 1."""

    token: str | None = None
    text: int | None = None
    """Which captions, from 1; then no tracks are asked for."""

    mark: str | None = None
    """That they carry beside the token."""

    form: TextForm | None = None
    """Of captions in fMP4: their sample entry."""

    fmp4: bool = False
    """Of fMP4 though the path does not say so, as for codecs that MPEG-TS does not carry."""

    packed: str | None = None
    """The name's suffix, of packed audio."""

    width: int | None = None
    """Pixels of a picture; the *number* of one is its time, milliseconds."""

    height: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    protocol: Protocol
    fmp4: bool
    """Segments are fMP4, one track each."""

    source: Source
    file: File
    parameters: Parameters = NONE


_SELECTORS = r"((?:-[a-wyz][0-9]*)*)"
_TOKEN = r"(?:-x([0-9a-f]{8}))?"
_NUMBER = r"(0|[1-9][0-9]{0,18})"
_MARKED = r"(?:-x([0-9a-f]{8})([0-9a-f]{8}))?"
_FILES = {
    name: re.compile(pattern)
    for name, pattern in {
        "master": r"master\.m3u8",
        "manifest": r"manifest\.mpd",
        "text index": rf"index-s{_NUMBER}\.m3u8",
        "index": rf"index{_SELECTORS}\.m3u8",
        "init": rf"init{_SELECTORS}{_TOKEN}\.mp4",
        "seg": rf"seg-{_NUMBER}{_SELECTORS}{_TOKEN}\.(ts|m4s|aac|ac3|ec3|mp3)",
        "text seg": rf"seg-{_NUMBER}-s{_NUMBER}{_MARKED}\.vtt",
        "text init": rf"(wvtt|stpp)-init-s{_NUMBER}{_MARKED}\.mp4",
        "text fragment": rf"(wvtt|stpp)-{_NUMBER}-s{_NUMBER}{_MARKED}\.m4s",
        "sub": rf"sub-s{_NUMBER}{_MARKED}\.vtt",
        "fragment": rf"fragment-{_NUMBER}{_SELECTORS}{_TOKEN}\.m4s",
        "images": r"images\.m3u8",
        "iframes": rf"iframes{_SELECTORS}\.m3u8",
        "key": rf"key-{_NUMBER}{_SELECTORS}{_TOKEN}\.(ts|m4s)",
        "storyboard": r"storyboard\.vtt",
        "sheet": rf"sheet-{_NUMBER}{_MARKED}\.jpg",
        "picture": rf"(thumb|frame)-{_NUMBER}{_SELECTORS}{_TOKEN}\.jpg",
    }.items()
}
_OF_PROTOCOL = {
    Protocol.HLS: ("master", "text index", "index", "init", "seg", "text seg"),
    Protocol.DASH: ("manifest", "init", "fragment", "sub", "text init", "text fragment"),
    Protocol.CMAF: (
        "master",
        "text index",
        "index",
        "manifest",
        "init",
        "seg",
        "text seg",
        "sub",
        "text init",
        "text fragment",
    ),
    Protocol.THUMB: ("picture",),
}
_PICTURES = {
    Protocol.HLS: ("images", "sheet", "storyboard", "iframes", "key"),
    Protocol.DASH: ("sheet", "storyboard", "key"),
    Protocol.CMAF: ("images", "sheet", "storyboard", "iframes", "key"),
    Protocol.THUMB: ("sheet", "storyboard"),
}
_SELECTOR = re.compile(r"-([a-z])([0-9]*)")
_ID = re.compile(r"0|[1-9][0-9]{0,18}")
_LATER = frozenset({"speed", "shift", "protect"})
"""Path parameters of the contract whose parts are not built yet."""


@lru_cache(maxsize=4096)
def parse_target(path: str) -> Target:
    """Parse the path of a request, without its query.  Raises ``BadUrl``."""
    parts = path_segments(path)
    if len(parts) < 3 or parts[0] not in _OF_PROTOCOL:
        raise BadUrl("no such resource: a path starts with /hls, /dash, /cmaf or /thumb")
    protocol = Protocol(parts[0])
    rest, name = parts[1:-1], parts[-1]
    fmp4 = protocol is not Protocol.HLS
    if rest[0] == "container":
        if protocol is not Protocol.HLS or rest[1:2] != ["fmp4"]:
            raise BadUrl("container/fmp4 is the only container, under /hls")
        fmp4, rest = True, rest[2:]
    rest, given = split_parameters(rest)
    source, within = _parse_source(rest)
    if given.text and within != NONE:
        raise BadUrl("parameters stand in two places")
    parameters = given if given.text else within
    if isinstance(source, SequenceSource) and parameters != NONE:
        raise BadUrl("parameters of a sequence are not supported yet")
    return Target(protocol, fmp4, source, _parse_file(protocol, fmp4, name), parameters)


def _parse_source(parts: list[str]) -> tuple[Source, Parameters]:
    """With the parameters that stand within it."""
    if parts[:1] == ["protect"]:
        raise BadUrl("protect is not supported yet")
    if parts[:1] == ["e"]:
        return _parse_entry(parts), NONE
    if parts[:1] == ["local"] and len(parts) > 1:
        return _parse_local("/".join(parts[1:])), NONE
    if parts[:1] in (["p"], ["s"]):
        return _parse_flavors("/".join(parts))
    if not parts or parts[0] in PARAMETERS or (parts[0] in _NAMED and len(parts) < 2):
        raise no_source()
    return _parse_named(parts), NONE


def no_source() -> BadUrl:
    return BadUrl("no source: a source is e/{entry}, local/{file} or p/{partner}/…")


_NAMED = ("local", "mapped", "remote")


def _parse_named(parts: list[str]) -> MappedSource | RemoteSource:
    """Parameters stand behind the name, or would be asked for as a part of it."""
    for part in parts[1:]:
        if part in _LATER or part in PARAMETERS:
            raise left_over(part)
    bare = parts[0] not in _NAMED
    text = "/".join(parts if bare else parts[1:])
    names = split_urlset(text)
    if parts[0] == "remote":
        return RemoteSource(names, text)
    return MappedSource(names, text, bare)


def _parse_entry(parts: list[str]) -> EntrySource:
    if len(parts) < 2:
        raise BadUrl("e: no entry id")
    if len(parts) > 2:
        raise left_over(parts[2])
    try:
        return EntrySource(check_id(parts[1]))
    except BadId as error:
        raise BadUrl(str(error)) from None


def left_over(name: str) -> BadUrl:
    """That *name* stands behind a source."""
    return BadUrl(f"{name} is not supported yet" if name in _LATER else f"left over: {name}")


def _parse_local(text: str) -> LocalSource:
    """One file, or a .urlset."""
    return LocalSource(split_urlset(text), text)


def _parse_flavors(text: str) -> tuple[FlavorsSource | SequenceSource, Parameters]:
    if sequence := parse_serve_sequence(text):
        return SequenceSource(sequence, text), NONE
    several = parse_serve_flavors(text)
    flavors = tuple((one.flavor, one.version) for one in several)
    first = several[0]
    source = FlavorsSource(
        first.entry, first.partner, flavors, text, first.captions, first.storages
    )
    return source, first.parameters


def _parse_file(protocol: Protocol, fmp4: bool, name: str) -> File:
    for kind in (*_OF_PROTOCOL[protocol], *_PICTURES[protocol]):
        if match := _FILES[kind].fullmatch(name):
            return _file(kind, match, fmp4)
    raise BadUrl(f"no such file under /{protocol}: {name}")


def _file(kind: str, match: re.Match[str], fmp4: bool) -> File:
    if kind in ("master", "manifest", "images", "storyboard"):
        return File(FileKind(kind))
    if kind == "sheet":
        return File(FileKind.SHEET, None, int(match[1]), match[2], mark=match[3])
    if kind == "index":
        return File(FileKind.INDEX, parse_selectors(match[1]))
    if kind == "text index":
        return File(FileKind.INDEX, text=int(match[1]))
    if kind == "text seg":
        number, text = int(match[1]), int(match[2])
        return File(FileKind.SEGMENT, None, number, match[3], text, match[4])
    if kind == "text init":
        form = TextForm(match[1])
        return File(FileKind.INIT, None, 0, match[3], int(match[2]), match[4], form)
    if kind == "text fragment":
        form, number, text = TextForm(match[1]), int(match[2]), int(match[3])
        return File(FileKind.SEGMENT, None, number, match[4], text, match[5], form)
    if kind == "sub":
        return File(FileKind.SUBTITLES, None, 0, match[2], int(match[1]), match[3])
    if kind == "init":
        choice = parse_selectors(match[1])
        return File(FileKind.INIT, choice, token=match[2], fmp4=not fmp4)
    if kind == "picture":
        return _picture(match)
    if kind == "iframes":
        return File(FileKind.I_FRAMES, parse_selectors(match[1]))
    m4s = kind == "fragment" or match[4] == "m4s"
    if fmp4 and not m4s:
        raise BadUrl(f"seg: .{match[4]} is not the container of this path")
    choice, number = parse_selectors(match[2]), int(match[1])
    packed = match[4] if kind == "seg" and match[4] not in ("ts", "m4s") else None
    of = FileKind.KEY if kind == "key" else FileKind.SEGMENT
    return File(of, choice, number, match[3], fmp4=m4s and not fmp4, packed=packed)


_SIZES = re.compile(r"(?:-w([1-9][0-9]{0,3}))?(?:-h([1-9][0-9]{0,3}))?")
_MAX_SIZE = 4096


def _picture(match: re.Match[str]) -> File:
    """Tracks stand before sizes; without tracks the origin chooses them by the size."""
    kind, number, words, token = match.groups()
    tracks, sizes = words, ""
    if found := re.search(r"-[wh]", words):
        tracks, sizes = words[: found.start()], words[found.start() :]
    size = _SIZES.fullmatch(sizes)
    pixels = [None, None] if size is None else [one and int(one) for one in size.groups()]
    if size is None or any(one and one > _MAX_SIZE for one in pixels):
        raise BadUrl(f"{sizes}: not a size such as -w160-h90, of at most {_MAX_SIZE} pixels")
    choice = parse_selectors(tracks) if tracks else None
    width, height = pixels
    return File(
        FileKind(kind), choice, int(number), token, width=width or None, height=height or None
    )


def parse_selectors(text: str) -> Choice:
    """``-f1-v1-a1``, in this order, each at most once; without ``-f`` the first flavor."""
    choice, allowed = Choice(1), "fva"
    for letter, digits in _SELECTOR.findall(text):
        if letter not in "fva":
            raise BadUrl(f"selector -{letter} is not known")
        if letter not in allowed:
            raise BadUrl(f"selector -{letter} is doubled or out of order")
        if not _ID.fullmatch(digits):
            raise BadUrl(f"selector -{letter}{digits}: not a whole number")
        allowed = allowed[allowed.index(letter) + 1 :]
        field = {"f": "flavor", "v": "video", "a": "audio"}[letter]
        choice = replace(choice, **{field: int(digits)})
    return choice


def selectors(choice: Choice) -> str:
    """The inverse of ``parse_selectors``: always written out."""
    text = f"-f{choice.flavor}"
    if choice.video is not None:
        text += f"-v{choice.video}"
    return text if choice.audio is None else f"{text}-a{choice.audio}"


def segment_name(
    protocol: Protocol, fmp4: bool, number: int | str, tail: str, packed: str | None = None
) -> str:
    """*tail* is selectors and token; *number* may be DASH's ``$Number$``; *packed* is the
    suffix of packed audio."""
    stem = "fragment" if protocol is Protocol.DASH else "seg"
    return f"{stem}-{number}{tail}.{packed or ('m4s' if fmp4 else 'ts')}"


def key_name(fmp4: bool, number: int | str, tail: str) -> str:
    """*tail* is selectors and token; *number* may be DASH's ``$Number$``."""
    return f"key-{number}{tail}.{'m4s' if fmp4 else 'ts'}"


def sheet_name(number: int | str, mark: str = "") -> str:
    """*number* may be DASH's ``$Number$``; *mark* is the token and that of the sheets."""
    return f"sheet-{number}-x{mark}.jpg" if mark else f"sheet-{number}.jpg"


def text_name(
    kind: FileKind,
    text: int,
    mark: str = "",
    number: int | str = 0,
    form: TextForm | None = None,
) -> str:
    """Of captions *text*; *mark* is their token and mark, *number* may be DASH's
    ``$Number$``."""
    tail = f"-s{text}-x{mark}" if mark else f"-s{text}"
    if form is not None:
        return (
            f"{form}-init{tail}.mp4" if kind is FileKind.INIT else f"{form}-{number}{tail}.m4s"
        )
    match kind:
        case FileKind.INDEX:
            return f"index-s{text}.m3u8"
        case FileKind.SEGMENT:
            return f"seg-{number}{tail}.vtt"
        case _:
            return f"sub{tail}.vtt"


def sheet_folder(target: Target) -> str:
    """Where its sheets are, relative to its manifests: a clip has sheets of its own."""
    parameters = target.parameters
    clip = parameters.clip_from is not None or parameters.clip_to is not None
    return "" if clip else media_folder(target)


_SAFE = "/,:@!$&'()*+;=~"
_CAPTIONS = re.compile(r"/captions/[^/]+(?=/)")


def render_target(target: Target) -> str:
    """The inverse of ``parse_target``."""
    container = "container/fmp4/" if target.protocol is Protocol.HLS and target.fmp4 else ""
    name = _render_file(target.protocol, target.fmp4, target.file)
    return quote(f"/{target.protocol}/{container}{_presented(target)}/{name}", safe=_SAFE)


def _presented(target: Target) -> str:
    behind = target.parameters.text
    return f"{target.source}/{behind}" if behind else str(target.source)


def media_folder(target: Target, *, text: bool = False) -> str:
    """Where its segments are, or those of its *text*, relative to its manifests: a clip has
    those of the whole, and captions beside it change no media, so that caches hold them
    once."""
    here, source = _presented(target), str(target.source)
    if isinstance(target.source, FlavorsSource):  # others have none within, but folders' names
        source = without_clip(source)
        source = source if text else _CAPTIONS.sub("", source)
    behind = target.parameters.text
    whole = source + without_clip(f"/{behind}") if behind else source
    return "" if whole == here else quote(f"{posixpath.relpath(whole, here)}/", safe=_SAFE)


def _render_file(protocol: Protocol, fmp4: bool, file: File) -> str:
    if file.text is not None:
        mark = f"{file.token}{file.mark}" if file.token else ""
        return text_name(file.kind, file.text, mark, file.number, file.form)
    tail = "" if file.choice is None else selectors(file.choice)
    token = "" if file.token is None else f"-x{file.token}"
    match file.kind:
        case FileKind.THUMB | FileKind.FRAME:
            size = "".join(
                f"-{letter}{pixels}"
                for letter, pixels in (("w", file.width), ("h", file.height))
                if pixels is not None
            )
            return f"{file.kind}-{file.number}{tail}{size}{token}.jpg"
        case FileKind.SHEET:
            return sheet_name(file.number, f"{file.token}{file.mark}" if file.token else "")
        case FileKind.IMAGES:
            return "images.m3u8"
        case FileKind.STORYBOARD:
            return "storyboard.vtt"
        case FileKind.I_FRAMES:
            return f"iframes{tail}.m3u8"
        case FileKind.KEY:
            return key_name(fmp4 or file.fmp4, file.number, tail + token)
        case FileKind.MASTER:
            return "master.m3u8"
        case FileKind.MANIFEST:
            return "manifest.mpd"
        case FileKind.INDEX:
            return f"index{tail}.m3u8"
        case FileKind.INIT:
            return f"init{tail}{token}.mp4"
        case _:
            return segment_name(
                protocol, fmp4 or file.fmp4, file.number, tail + token, file.packed
            )
