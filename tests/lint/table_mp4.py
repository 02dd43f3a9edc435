"""Headers and segments of MP4: a change, and what must be said of it."""

from collections.abc import Callable

from tests.lint.boxes import (
    Edit,
    all_of,
    before,
    behind,
    drop,
    inside,
    last,
    poke,
    renamed,
    rewritten,
    twice,
)
from tests.lint.changes import Change, Row, both, of, text

INIT, SOUND, SEGMENT = "init-f1-v1-*", "init-f1-a1-*", "seg-2-f1-v1-*"
STBL = "moov/trak/mdia/minf/stbl"
ENTRY = f"{STBL}/stsd/avc1"
TRUN = "moof/traf/trun"


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def _i(check: str, edit: Edit, place: str = "init-f1-v1", name: str = INIT) -> Row:
    return Row(check, "fmp4", of(name, edit), place)


def _s(check: str, edit: Edit, place: str = "seg-2-f1-v1") -> Row:
    return Row(check, "fmp4", of(SEGMENT, edit), place)


def _at(path: str, short: int, long: int, value: bytes) -> Edit:
    """A field of a full box, whose place depends on the version."""

    def change(body: bytes) -> bytes:
        at = long if body[0] else short
        return body[:at] + value + body[at + len(value) :]

    return rewritten(path, change)


def _edits(*entries: tuple[int, int, int]) -> Edit:
    body = bytes(4) + len(entries).to_bytes(4, "big")
    for lasts, start, rate in entries:
        body += lasts.to_bytes(4, "big") + start.to_bytes(4, "big") + rate.to_bytes(4, "big")
    return behind("moov/trak/tkhd", "edts", box(b"elst", body))


def _later(ticks: int) -> Edit:
    """Another baseMediaDecodeTime."""

    def change(body: bytes) -> bytes:
        return body[:4] + (int.from_bytes(body[4:], "big") + ticks).to_bytes(
            len(body) - 4, "big"
        )

    return rewritten("moof/traf/tfdt", change)


def _no_idr(body: bytes) -> bytes:
    """The IDR slice that begins the samples is called another slice."""
    found, at = bytearray(body), 0
    while found[at + 4] & 31 != 5:
        at += 4 + int.from_bytes(found[at : at + 4], "big")
    found[at + 4] = found[at + 4] & 0xE0 | 1
    return bytes(found)


def _es_id(body: bytes) -> bytes:
    at = 5
    while body[at] & 128:
        at += 1
    return body[: at + 1] + b"\0\7" + body[at + 3 :]


def sidx(track: int = 1, scale: int = 12_800, start: int = 76_800, sap: int = 0x90000000,
         wrong: int = 0, times: int = 1) -> Edit:  # fmt: skip
    """An index before the one fragment of the second segment."""

    def edit(data: bytes) -> bytes:
        at = data.index(b"moof") - 4
        size = len(data) - at + wrong
        body = bytes(4) + b"".join(n.to_bytes(4, "big") for n in (track, scale, start, 0, 1))
        body += b"".join(n.to_bytes(4, "big") for n in (size, 76_800, sap))
        return data[:at] + box(b"sidx", body) * times + data[at:]

    return edit


def turned() -> Edit:
    """The matrix of a phone that was held upright."""
    one, none = b"\0\1\0\0", bytes(4)
    return _at("moov/trak/tkhd", 40, 52, none + one + none + b"\xff\xff\0\0" + none)


def _front(*boxes: bytes) -> Edit:
    return lambda data: b"".join(boxes) + data


def _tail(*boxes: bytes) -> Edit:
    return lambda data: data + b"".join(boxes)


KEY = bytes(range(16))


def protected(scheme: bytes = b"cenc", flag: int = 1) -> Edit:
    """A header that says that its samples are encrypted."""
    sinf = box(b"frma", b"avc1") + box(b"schm", bytes(4) + scheme + b"\0\1\0\0")
    sinf += box(b"schi", box(b"tenc", bytes(6) + bytes((flag, 8)) + KEY))
    entry = ENTRY.replace("avc1", "encv")
    return all_of(renamed(ENTRY, "encv"), inside(entry, "sinf", sinf))


def _senc(count: int) -> Edit:
    return inside("moof/traf", "senc", bytes(4) + count.to_bytes(4, "big") + bytes(8 * count))


def _sealed(check: str, *segment: Edit) -> Row:
    edits: list[Change] = [of(INIT, protected())]
    edits += [of(SEGMENT, edit) for edit in segment]
    return Row(check, "fmp4", both(*edits), "seg-2-f1-v1")


_STYP = box(b"styp", b"msdhmsdhlmsg".replace(b"msdhmsdh", b"msdh" + bytes(4) + b"msdh"))
_EMPTY_SIDX = box(b"sidx", bytes(4) + b"\0\0\0\1\0\0\x32\0" + bytes(12))
_FLAGS: Callable[[bytes], bytes] = lambda body: body.replace(b"\2\0\0\0", bytes(4), 1)  # noqa: E731


def _without_offset(body: bytes) -> bytes:
    return body[:3] + bytes((body[3] & ~1,)) + body[4:8] + body[12:]


def _with_base(body: bytes) -> bytes:
    return body[:3] + bytes((body[3] | 1,)) + body[4:8] + bytes(8) + body[8:]


def _other(check: str, edit: Edit) -> Row:
    """Of the second member of a set."""
    return Row(check, "dash", of("init-f2-v1-*", edit), "AdaptationSet[1]")


_KID = ' xmlns:cenc="urn:mpeg:cenc:2013" cenc:default_KID="{}"'
_CONTENT = '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc"{}/>'

ROWS = [
    _i("I-01.ftyp", drop("ftyp")),
    _i("I-01.order", last("moov/mvhd"), "moov"),
    _i("I-01.mvex", drop("moov/mvex")),
    _i("I-01.tracks", twice("moov/trak")),
    _i("I-02.iso6", rewritten("ftyp", lambda _: b"mp42" + bytes(4) + b"mp42"), "ftyp"),
    _i("I-02.minor", rewritten("ftyp", lambda _: b"cmfc\0\0\0\1iso6"), "ftyp"),
    _i("I-03.order", last("moov/trak/tkhd"), "moov/trak"),
    _i("I-03.media", renamed("moov/trak/mdia/minf/vmhd", "nmhd"), "minf"),
    _i("I-04.table", drop(f"{STBL}/stts"), "stbl"),
    _i("I-04.entries", poke(f"{STBL}/stsz", 8, b"\0\0\0\1"), "stsz"),
    _i("I-04.duration", _at("moov/mvhd", 16, 24, b"\0\0\0\1"), "mvhd"),
    _i("I-05.rate", _at("moov/mvhd", 20, 32, b"\0\2\0\0"), "mvhd"),
    _i("I-05.matrix", _at("moov/trak/tkhd", 40, 52, b"\0\2\0\0"), "tkhd"),
    _i("I-05.size", rewritten("moov/trak/tkhd", lambda b: b[:-8] + b"\0\1" * 4), "tkhd", SOUND),
    _i("I-06.trex", drop("moov/mvex/trex"), "mvex"),
    _i("I-06.media", poke("moov/trak/mdia/minf/vmhd", 4, b"\0\1"), "vmhd"),
    _i("I-06.dref", poke("moov/trak/mdia/minf/dinf/dref", 4, b"\0\0\0\2"), "dref"),
    _i("I-06.stsd", poke(f"{STBL}/stsd", 0, b"\1"), "stsd"),
    _i("I-07.entries", _edits((0, 0, 65536), (0, 0, 65536)), "elst"),
    _i("I-07.duration", _edits((5, 0, 65536)), "elst"),
    _i("I-07.rate", _edits((0, 0, 32768)), "elst"),
    Row(
        "I-07.both",
        "fmp4",
        both(of(INIT, _edits((0, 1, 65536))), of("seg-1-f1-v1-*", poke(TRUN, 0, b"\1"))),
        "trun",
    ),
    _i("I-08.sets", rewritten(f"{ENTRY}/avcC", lambda b: b[:5] + b"\xe0\0"), "avc1"),
    _i("I-08.hvc1", renamed(ENTRY, "hev1"), "hev1"),
    _i("I-08.record", drop(f"{ENTRY}/avcC"), "avc1"),
    _i("I-09.es_id", rewritten(f"{STBL}/stsd/mp4a/esds", _es_id), "mp4a", SOUND),
    _i("I-09.channels", poke(f"{STBL}/stsd/mp4a", 16, b"\0\6"), "mp4a", SOUND),
    _i("I-09.rate", poke(f"{STBL}/stsd/mp4a", 24, b"\x10\0"), "mp4a", SOUND),
    _other("I-10.timescale", _at("moov/trak/mdia/mdhd", 12, 20, b"\0\0\x64\0")),
    _other("I-10.entry", renamed(ENTRY, "avc3")),
    _other("I-10.track", _at("moov/trak/tkhd", 12, 20, b"\0\0\0\7")),
    _i("I-11.file", before("moov", "udta"), "udta"),
    _i("I-11.metadata", behind("moov/mvhd", "udta"), "moov/udta"),
    _i("I-12.free", before("moov", "free"), "free"),
    _s("S-01.msdh", _front(box(b"styp", b"iso6" + bytes(4) + b"iso6")), "styp"),
    _s("S-01.lmsg", _front(_STYP)),
    _s("S-01.order", _tail(_EMPTY_SIDX), "sidx"),
    _s("S-01.emsg", _tail(box(b"emsg", bytes(24))), "emsg"),
    _s("S-01.header", _front(box(b"ftyp", b"iso6" + bytes(4))), "ftyp"),
    _s("S-02.mdat", behind("moof", "free"), "free"),
    _s("S-02.moof", _tail(box(b"mdat", b"")), "mdat"),
    _s("S-02.order", last("moof/mfhd"), "moof"),
    _s("S-02.traf", twice("moof/traf"), "moof"),
    _s("S-02.trun", drop(TRUN), "moof/traf"),
    _s("S-03.track", poke("moof/traf/tfhd", 4, b"\0\0\0\7"), "tfhd"),
    _s("S-03.offset", rewritten("moof/traf/tfhd", _with_base), "tfhd"),
    _s("S-03.base", rewritten("moof/traf/tfhd", lambda b: b[:1] + b"\0" + b[2:]), "tfhd"),
    _s("S-03.data", rewritten(TRUN, _without_offset), "trun"),
    _s("S-03.version", poke(TRUN, 0, b"\2"), "trun"),
    _s("S-04.tfdt", drop("moof/traf/tfdt"), "moof/traf"),
    _s("S-04.sum", lambda data: data + data, "moof/traf"),
    _s("S-05.sequence", poke("moof/mfhd", 4, b"\0\0\0\1"), "moof/mfhd"),
    _s("S-06.sum", rewritten("mdat", lambda body: body + b"\0"), "mdat"),
    _s("S-06.outside", poke(TRUN, 8, b"\x7f\0\0\0"), "moof/traf"),
    _s("S-07.lie", rewritten("mdat", _no_idr), "moof/traf"),
    _s("S-07.depends", rewritten(TRUN, _FLAGS), "moof/traf"),
    Row("P-12.lie", "fmp4", of(SEGMENT, rewritten("mdat", _no_idr)), "master.m3u8"),
    Row("D-08.sap", "dash", of(SEGMENT, rewritten("mdat", _no_idr)), "segment 1"),
    Row("S-08.gap", "fmp4", of(SEGMENT, _later(1)), "index-f1-v1.m3u8"),
    Row("S-08.gap_dash", "dash", of(SEGMENT, _later(1)), "Representation[1]"),
    Row("C-06.shift", "fmp4", of("seg-*-f1-v1-*", _later(640)), "index-f1-v1.m3u8"),
    _s("S-10.count", sidx(times=2), "sidx"),
    _s("S-10.track", sidx(track=7), "sidx"),
    _s("S-10.timescale", sidx(scale=1000), "sidx"),
    _s("S-10.type", sidx(wrong=1 << 31), "sidx"),
    _s("S-10.sizes", sidx(wrong=1), "sidx"),
    _s("S-10.earliest", sidx(start=76_801), "sidx"),
    _s("S-10.sap", sidx(sap=0), "sidx"),
    _i("S-11.scheme", protected(b"cens"), "sinf"),
    _i("S-11.protected", protected(flag=0), "sinf"),
    _sealed("S-11.senc"),
    _sealed("S-11.aux", _senc(150)),
    _sealed("S-11.count", _senc(3)),
    Row("D-10.absent", "dash", of(INIT, protected()), "Representation[1]"),
    Row(
        "D-10.key",
        "dash",
        both(
            of(INIT, protected()),
            text("manifest.mpd", "<Role", _CONTENT.format(_KID.format("0" * 32)) + "<Role"),
        ),
        "Representation[1]",
    ),
    _i("F-02.header", lambda data: data[:40]),
    _s("F-02.segment", lambda data: data[:20]),
]
