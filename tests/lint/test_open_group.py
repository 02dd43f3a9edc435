"""S-09: a segment that begins with an HEVC picture of an open group."""

from lint.findings import Report
from lint.isobmff.configs import Config
from lint.isobmff.header import Header, Track
from lint.isobmff.segment import read_segment
from tests.lint.table_mp4 import box

CRA, IDR, TRAIL = 21, 19, 1
TRACK = Track(
    number=1,
    handler="vide",
    timescale=25,
    entry="hvc1",
    config=Config(codec="hvc1.1.6.L93.B0", nal_length=4),
    size=(96, 54),
    turned=False,
    media_time=0,
    defaults=(1, 7, 0x10000),
    scheme="",
    key_id="",
)


def _segment(first: int, shifts: tuple[int, ...]) -> bytes:
    """Samples of one slice each, shown at their place and *shifts*."""
    head = box(b"mfhd", bytes(7) + b"\1")
    tfhd = box(b"tfhd", b"\0\2\0\0\0\0\0\1")
    tfdt = box(b"tfdt", bytes(8))
    runs = b"".join(shift.to_bytes(4, "big") for shift in shifts)
    size = len(head) + len(tfhd) + len(tfdt) + len(runs) + 8 + 8 + 24 + 8
    trun = bytes((0, 0, 8, 5)) + len(shifts).to_bytes(4, "big") + size.to_bytes(4, "big")
    trun = box(b"trun", trun + b"\2\0\0\0" + runs)
    kinds = (first, *[TRAIL] * (len(shifts) - 1))
    samples = b"".join(b"\0\0\0\3" + bytes((kind << 1, 1, 0)) for kind in kinds)
    moof = box(b"moof", head + box(b"traf", tfhd + tfdt + trun))
    return moof + box(b"mdat", samples)


def _checks(data: bytes) -> list[str]:
    report = Report()
    read_segment(data, 0, Header(tracks=[TRACK]), report.of("it"))
    return [finding.check for finding in report.findings]


def test_leading_pictures_of_a_cra() -> None:
    assert _checks(_segment(CRA, (2, 0, 0))) == ["S-09.open"]


def test_a_cra_that_is_shown_first() -> None:
    assert _checks(_segment(CRA, (0, 1, 0))) == []


def test_leading_pictures_of_an_idr_can_be_decoded() -> None:
    assert _checks(_segment(IDR, (2, 0, 0))) == []
