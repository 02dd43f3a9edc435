"""Rules of delivery, and servers that mean harm: bounded, and an end that says why."""

import gzip
import json
import time
from collections.abc import Callable, Iterator

import pytest

from lint import fetching
from lint.command import CLEAN, FOUND, UNREACHABLE, run
from lint.examining import findings_of
from lint.fetching import Unreachable
from tests.lint.changes import Files
from tests.lint.servers import Answer, Site, alternating, body, endless, serving, status, stuck

HLS = "application/vnd.apple.mpegurl"
BOUND = 20.0
"""Seconds that anything here may take; most take none."""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def good(site: Site, presentations: dict[str, Files]) -> Site:
    """Our fragmented MP4 as a careful server delivers it."""
    for name, data in presentations["fmp4"].items():
        if name.endswith(".m3u8"):
            answer = body(
                gzip.compress(data), Content_Type=HLS, Content_Encoding="gzip",
                Cache_Control="max-age=2", ETag='"a"',
            )  # fmt: skip
        else:
            answer = body(data, Content_Type="video/mp4", Cache_Control="max-age=9", ETag='"b"')
        site.paths[f"/{name}"] = answer
    return site


def _replaced(site: Site, ending: str, **headers: str) -> None:
    """The first file of *ending* with other headers."""
    name = next(name for name in site.paths if name.endswith(ending))
    known = {"Content_Type": HLS, "Cache_Control": "max-age=2", "ETag": '"a"'}
    playlist = b"#EXTM3U\n#" + b"-" * 2000 + b"\n"
    site.paths[name] = body(playlist, **{n: v for n, v in (known | headers).items() if v})


def test_good_delivery_is_clean(good: Site) -> None:
    assert findings_of(f"{good.address}/master.m3u8") == []


@pytest.mark.parametrize(
    ("check", "headers"),
    [
        ("P-01.type", {"Content_Type": "text/plain"}),
        ("P-01.gzip", {}),
        ("P-18.cache", {"Cache_Control": ""}),
        ("P-18.validator", {"ETag": ""}),
        ("P-18.weak", {"ETag": 'W/"a"'}),
    ],
)
def test_delivery_of_a_manifest(good: Site, check: str, headers: dict[str, str]) -> None:
    _replaced(good, "index-f1-v1.m3u8", **headers)
    found = findings_of(f"{good.address}/index-f1-v1.m3u8")
    assert check in {finding.check for finding in found}


def test_type_of_a_segment(good: Site, presentations: dict[str, Files]) -> None:
    name = next(n for n in presentations["fmp4"] if n.startswith("seg-1-f1-v1"))
    good.paths[f"/{name}"] = body(presentations["fmp4"][name], Content_Type="text/plain")
    found = findings_of(f"{good.address}/master.m3u8")
    assert {finding.check for finding in found} == {"P-18.type", "P-18.cache"}
    assert {finding.address for finding in found} == {f"{good.address}/{name}"}


def test_a_header_that_changes(good: Site, presentations: dict[str, Files]) -> None:
    name = next(n for n in presentations["fmp4"] if n.startswith("init-f1-v1"))
    data = presentations["fmp4"][name]
    kind = {"Content_Type": "video/mp4", "Cache_Control": "no-store"}
    good.paths[f"/{name}"] = alternating(body(data, **kind), body(data + b"\0" * 8, **kind))
    assert [f.check for f in findings_of(f"{good.address}/master.m3u8")] == ["I-12.stable"]


HOSTILE: dict[str, Callable[[Site], Answer]] = {
    "endless": lambda site: endless(site, b"#EXTM3U\n" * 8192),
    "slow": lambda site: stuck(site, b"#EXTM3U\n"),
    "bomb": lambda site: body(gzip.compress(bytes(1 << 24)), Content_Encoding="gzip"),
    "no gzip": lambda site: body(b"#EXTM3U\n", Content_Encoding="gzip"),
    "cut gzip": lambda site: body(gzip.compress(b"#EXTM3U\n")[:-9], Content_Encoding="gzip"),
    "brotli": lambda site: body(b"#EXTM3U\n", Content_Encoding="br"),
    "redirects": lambda site: status(302, Location="/master.m3u8"),
    "to a file": lambda site: status(302, Location="file:///etc/hostname"),
    "to nothing": lambda site: status(302, Location="http://["),
    "refused": lambda site: status(403),
    "cut off": lambda site: body(b"#EXTM3U\n", Content_Length="100"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server(
    name: str, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetching, "MEDIA_LIMIT", 1 << 20)
    monkeypatch.setattr("lint.examining.MEDIA_LIMIT", 1 << 20)
    site.paths["/master.m3u8"] = HOSTILE[name](site)
    begin = time.monotonic()
    target = f"{site.address}/master.m3u8"
    assert run(target, as_json=True, most=3, headers=(), timeout=2) == UNREACHABLE
    assert time.monotonic() - begin < BOUND
    told = capsys.readouterr()
    assert json.loads(told.out)["unreachable"]
    assert told.err.startswith(f"headrace lint: {target}: ")


def test_what_a_manifest_names_is_a_finding(good: Site) -> None:
    for ending, answer in (
        ("index-f1-a1.m3u8", stuck(good, b"#EXTM3U\n")),
        ("seg-1-f1-v1", status(500)),
        ("seg-2-f1-v1", status(302, Location="file:///etc/hostname")),
    ):
        name = next(name for name in good.paths if name[1:].startswith(ending))
        good.paths[name] = answer
    found = findings_of(f"{good.address}/master.m3u8", timeout=2)
    assert {"F-01.playlist", "F-01.segment"} <= {finding.check for finding in found}


def test_a_local_address_of_a_remote_playlist_is_not_read(site: Site) -> None:
    site.paths["/a.m3u8"] = body(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")
    found = [f for f in findings_of(f"{site.address}/a.m3u8") if f.check == "F-01.segment"]
    assert "not an HTTP address" in found[0].text


def test_headers_are_for_the_first_server_only(site: Site) -> None:
    with serving() as other:
        other.paths["/a.ts"] = status(404)
        text = f"#EXTM3U\n#EXTINF:1,\n{other.address}/a.ts\n#EXTINF:1,\nb.ts\n"
        site.paths["/a.m3u8"] = body(text.encode())
        target = f"{site.address}/a.m3u8"
        run(target, as_json=True, most=3, headers=["Authorization: Bearer x"], timeout=5)
        assert other.asked == [("/a.ts", None)]
    assert site.asked == [("/a.m3u8", "Bearer x"), ("/b.ts", "Bearer x")]


def test_nobody_listens() -> None:
    with serving() as site:
        address = site.address
    with pytest.raises(Unreachable):
        findings_of(f"{address}/a.m3u8")


def test_exit_codes(good: Site, capsys: pytest.CaptureFixture[str]) -> None:
    def status_of(name: str) -> int:
        target = f"{good.address}/{name}"
        return run(target, as_json=False, most=3, headers=(), timeout=5)

    assert status_of("master.m3u8") == CLEAN
    assert capsys.readouterr().out.endswith("0 error, 0 warning, 0 note\n")
    _replaced(good, "index-f1-v1.m3u8")
    assert status_of("master.m3u8") == FOUND
    assert status_of("absent") == UNREACHABLE
