"""A CMAF header (initialization segment): rules I-01 to I-12, and what segments need of it."""

from dataclasses import dataclass, field

from lint.findings import Malformed, Say
from lint.isobmff.boxes import Box, boxes
from lint.isobmff.configs import Config, config_of

_ISO6 = {"iso6", "iso7", "iso8", "iso9", "isoa", "isob", "isoc", "cmfc", "cmf2"}
_UNITY = bytes.fromhex(
    "000100000000000000000000000000000001000000000000000000000000000040000000"
)
_MEDIA_HEADERS = {"vide": {"vmhd"}, "soun": {"smhd"}, "text": {"nmhd"}, "subt": {"sthd"}}
_TRAK, _MDIA = ("tkhd", "edts", "mdia", "udta"), ("mdhd", "hdlr", "elng", "minf")
_MINF = ("vmhd", "smhd", "sthd", "nmhd", "dinf", "stbl")
_STBL = ("stsd", "stts", "stsc", "stsz", "stz2", "stco", "co64", "sgpd", "stss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    number: int
    handler: str
    timescale: int
    entry: str
    """Sample entry, as before encryption."""
    config: Config
    size: tuple[int, int]
    turned: bool
    """Shown turned by a quarter, so that width and height change places."""
    media_time: int
    """Where in the media the presentation begins, in the track's timescale."""
    defaults: tuple[int, int, int]
    """Of trex: duration, size, flags."""
    scheme: str
    """Of protection; empty if there is none."""
    key_id: str


@dataclass(slots=True)
class Header:
    tracks: list[Track] = field(default_factory=list)
    length: int = 0
    """Where moov ends."""
    brands: set[str] = field(default_factory=set)


def read_header(data: bytes, say: Say, *, hls: bool) -> Header:
    """Check the header at the start of *data*.  Raises Malformed."""
    view, header = memoryview(data), Header()
    kinds: list[str] = []
    moov = None
    for box in boxes(view, 0, len(view)):
        if box.kind in ("moof", "mdat", "styp", "sidx", "prft", "emsg"):
            break
        kinds.append(box.kind)
        if box.kind == "ftyp":
            header.brands = _brands(box, say)
        elif box.kind == "moov":
            moov, header.length = box, box.end
            break
        elif box.kind in ("udta", "meta"):
            say("I-11.file", box.place, f"{box.kind} beside moov")
        elif box.kind in ("free", "skip"):
            say("I-12.free", box.place, f"{box.size} octets of {box.kind}")
    if moov is None:
        raise Malformed("file", "no moov before the media: this is no initialization segment")
    if kinds[0] != "ftyp":
        say("I-01.ftyp", "file", f"it begins with {kinds[0]}")
    _movie(moov, header, say, hls)
    return header


def _brands(box: Box, say: Say) -> set[str]:
    f = box.fields()
    major, minor = f.take(4).decode("latin-1"), f.uint(4)
    brands = {major}
    while f.left >= 4:
        brands.add(f.take(4).decode("latin-1"))
    if not brands & _ISO6:
        say("I-02.iso6", box.place, f"brands {' '.join(sorted(brands))}")
    if major in ("cmfc", "cmf2") and minor:
        say("I-02.minor", box.place, f"minor_version {minor} of {major}")
    return brands


def _movie(moov: Box, header: Header, say: Say, hls: bool) -> None:
    children = moov.children()
    kinds = [box.kind for box in children]
    _order(
        moov, kinds, ("mvhd", "meta", "iods", "trak", "mvex", "pssh", "udta"), "I-01.order", say
    )
    for box in children:
        if box.kind in ("free", "skip"):
            say("I-12.free", box.place, f"{box.size} octets of {box.kind}")
        elif box.kind in ("udta", "meta"):
            say("I-11.metadata", box.place, f"{box.size} octets of metadata")
        elif box.kind == "mvhd":
            _movie_header(box, say)
    mvex = moov.child("mvex")
    if mvex is None:
        say("I-01.mvex", moov.place, "no mvex")
    traks = [box for box in children if box.kind == "trak"]
    if len(traks) != 1:
        say("I-01.tracks", moov.place, f"{len(traks)} tracks")
    defaults = {} if mvex is None else _defaults(mvex, say)
    for trak in traks:
        track = _track(trak, defaults, say, hls)
        if mvex is not None and track.number not in defaults:
            say("I-06.trex", mvex.place, f"none for track {track.number}")
        header.tracks.append(track)


def _movie_header(box: Box, say: Say) -> None:
    f = box.fields()
    version, _ = f.full()
    wide = 8 if version == 1 else 4
    f.take(2 * wide + 4)
    duration = f.uint(wide)
    if duration not in (0, (1 << 8 * wide) - 1):
        say("I-04.duration", box.place, f"duration {duration}")
    rate, volume = f.uint(4), f.uint(2)
    if rate != 0x10000 or volume != 0x100:
        say("I-05.rate", box.place, f"rate {rate:#x}, volume {volume:#x}")


def _defaults(mvex: Box, say: Say) -> dict[int, tuple[int, int, int]]:
    found: dict[int, tuple[int, int, int]] = {}
    for box in mvex.children():
        if box.kind != "trex":
            continue
        f = box.fields()
        f.full()
        number, _ = f.uint(4), f.uint(4)
        if number in found:
            say("I-06.trex", box.place, f"a second one for track {number}")
        found[number] = f.uint(4), f.uint(4), f.uint(4)
    return found


def _order(box: Box, kinds: list[str], wanted: tuple[str, ...], check: str, say: Say) -> None:
    ranks = [wanted.index(kind) for kind in kinds if kind in wanted]
    if ranks != sorted(ranks):
        say(check, box.place, f"children {' '.join(kinds)}")


def _track(trak: Box, defaults: dict[int, tuple[int, int, int]], say: Say, hls: bool) -> Track:
    mdia = trak.need("mdia")
    minf = mdia.need("minf")
    stbl = minf.need("stbl")
    for box, wanted in ((trak, _TRAK), (mdia, _MDIA), (minf, _MINF), (stbl, _STBL)):
        _order(box, [child.kind for child in box.children()], wanted, "I-03.order", say)
    f = mdia.need("mdhd").fields()
    version, _ = f.full()
    f.take(16 if version == 1 else 8)
    timescale = f.uint(4)
    if not timescale:
        raise Malformed(mdia.place, "mdhd: timescale 0")
    f = mdia.need("hdlr").fields()
    f.take(8)
    handler = f.take(4).decode("latin-1")
    number, size, turned = _track_header(trak.need("tkhd"), handler, say)
    _media_header(minf, handler, say)
    _empty_tables(stbl, say)
    _references(minf, say)
    entry, config, coded, scheme, key_id = _sample_entry(stbl.need("stsd"), handler, say, hls)
    edit = _edit(trak, say)
    return Track(
        number=number,
        handler=handler,
        timescale=timescale,
        entry=entry,
        config=config,
        size=coded if handler == "vide" else size,
        turned=turned,
        media_time=edit,
        defaults=defaults.get(number, (0, 0, 0)),
        scheme=scheme,
        key_id=key_id,
    )


def _track_header(box: Box, handler: str, say: Say) -> tuple[int, tuple[int, int], bool]:
    """Number, size, and whether the matrix turns by a quarter."""
    f = box.fields()
    version, _ = f.full()
    wide = 8 if version == 1 else 4
    f.take(2 * wide)
    number = f.uint(4)
    f.take(4)
    duration = f.uint(wide)
    if duration not in (0, (1 << 8 * wide) - 1):
        say("I-04.duration", box.place, f"duration {duration}")
    f.take(16)
    matrix = f.take(36)
    if matrix != _UNITY:
        say("I-05.matrix", box.place, "the matrix rotates or scales")
    width, height = f.uint(4), f.uint(4)
    if handler != "vide" and handler not in ("text", "subt") and (width or height):
        say(
            "I-05.size", box.place, f"{width / 65536:g}x{height / 65536:g} of a {handler} track"
        )
    return number, (width >> 16, height >> 16), _is_turned(matrix)


def _is_turned(matrix: bytes) -> bool:
    """Of { a, b, u, c, d, v, x, y, w } (ISO/IEC 14496-12 §8.3.2), b and c alone move points."""
    a, b, c, d = (any(matrix[at : at + 4]) for at in (0, 4, 12, 16))
    return b and c and not (a or d)


def _media_header(minf: Box, handler: str, say: Say) -> None:
    kinds = {box.kind for box in minf.children()}
    wanted = _MEDIA_HEADERS.get(handler)
    if wanted is not None and not kinds & wanted:
        say("I-03.media", minf.place, f"no {'|'.join(wanted)} for handler {handler}")
    for kind, size in (("vmhd", 12), ("smhd", 8)):
        box = minf.child(kind)
        if box is not None and (payload := box.fields().take(size))[4:].strip(b"\0"):
            say("I-06.media", box.place, f"not zero: {payload[4:].hex()}")


def _empty_tables(stbl: Box, say: Say) -> None:
    for kind, at in (("stts", 4), ("stsc", 4), ("stsz", 8), ("stco", 4)):
        box = stbl.child(kind)
        if box is None:
            if kind != "stsz" or stbl.child("stz2") is None:
                say("I-04.table", stbl.place, f"no {kind}")
            continue
        f = box.fields()
        f.take(at)
        if count := f.uint(4):
            say("I-04.entries", box.place, f"{count} entries")


def _references(minf: Box, say: Say) -> None:
    dref = minf.need("dinf").need("dref")
    f = dref.fields()
    f.full()
    entries = f.uint(4)
    children = dref.children(8)
    if entries != 1 or len(children) != 1 or children[0].fields().full()[1] != 1:
        say("I-06.dref", dref.place, f"{entries} entries")


def _edit(trak: Box, say: Say) -> int:
    """Media time at which the presentation begins."""
    edts = trak.child("edts")
    box = None if edts is None else edts.child("elst")
    if box is None:
        return 0
    f = box.fields()
    version, _ = f.full()
    count, wide = f.uint(4), 8 if version == 1 else 4
    if count != 1:
        say("I-07.entries", box.place, f"{count} entries")
    for _ in range(count):
        duration, start, rate = f.uint(wide), f.signed(wide), f.uint(4)
        if start < 0:
            continue
        if duration:
            say("I-07.duration", box.place, f"segment_duration {duration}")
        if rate != 0x10000:
            say("I-07.rate", box.place, f"media_rate {rate / 65536:g}")
        return start
    return 0


def _sample_entry(
    stsd: Box, handler: str, say: Say, hls: bool
) -> tuple[str, Config, tuple[int, int], str, str]:
    f = stsd.fields()
    version, _ = f.full()
    if version:
        say("I-06.stsd", stsd.place, f"version {version}")
    if not f.uint(4):
        raise Malformed(stsd.place, "no sample entry")
    entry = next(iter(stsd.children(8)), None)
    if entry is None:
        raise Malformed(stsd.place, "no sample entry")
    skip = {"vide": 78, "soun": 28}.get(handler, 8)
    g = entry.fields()
    head = g.take(skip)
    size = (int.from_bytes(head[24:26], "big"), int.from_bytes(head[26:28], "big"))
    children = entry.children(skip) if handler in ("vide", "soun") else []
    kind, scheme, key_id = entry.kind, "", ""
    if kind in ("encv", "enca", "enct"):
        kind, scheme, key_id = _protection(entry, children, say)
    config = config_of(kind, children)
    if handler == "vide":
        _video_entry(entry, kind, config, {box.kind for box in children}, say, hls)
    if handler == "soun":
        channels, rate = int.from_bytes(head[16:18], "big"), int.from_bytes(head[24:26], "big")
        _audio_entry(entry, config, channels, rate, say)
    return kind, config, size, scheme, key_id


def _video_entry(
    entry: Box, kind: str, config: Config, children: set[str], say: Say, hls: bool
) -> None:
    if kind in ("avc1", "hvc1", "dvh1") and not config.parameter_sets:
        say("I-08.sets", entry.place, f"no parameter sets in the record of {kind}")
    if hls and kind in ("hev1", "dvhe"):
        say("I-08.hvc1", entry.place, f"{kind}")
    if not children & {"avcC", "hvcC", "av1C", "vpcC", "vvcC"}:
        say("I-08.record", entry.place, f"{kind} without a configuration record we know")


def _audio_entry(entry: Box, config: Config, channels: int, rate: int, say: Say) -> None:
    if config.es_id:
        say("I-09.es_id", entry.place, f"ES_ID {config.es_id}")
    if config.channels and channels != config.channels:
        say("I-09.channels", entry.place, f"{channels}, and {config.channels} in the record")
    if config.rate and rate not in (config.rate, 2 * config.rate) and config.rate < 65536:
        say("I-09.rate", entry.place, f"{rate} Hz, and {config.rate} Hz in the record")


def _protection(entry: Box, children: list[Box], say: Say) -> tuple[str, str, str]:
    sinf = next((box for box in children if box.kind == "sinf"), None)
    if sinf is None:
        raise Malformed(entry.place, "no sinf")
    original = sinf.need("frma").fields().take(4).decode("latin-1")
    f = sinf.need("schm").fields()
    f.full()
    scheme, version = f.take(4).decode("latin-1"), f.uint(4)
    if scheme not in ("cenc", "cbcs") or version != 0x10000:
        say("S-11.scheme", sinf.place, f"{scheme} version {version:#x}")
    f = sinf.need("schi").need("tenc").fields()
    f.take(6)
    protected, _ = f.uint(1), f.uint(1)
    if protected != 1:
        say("S-11.protected", sinf.place, f"default_isProtected {protected}")
    return original, scheme, f.take(16).hex()
