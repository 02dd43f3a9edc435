"""From rows to what is written of them."""

from typing import Any

import pytest

from metadata.records import AssetRecord, ContentRecord
from origin.contract.access import Access
from origin.contract.addresses import address, file_name, hls_folders
from origin.contract.play_manifest import parse_play_manifest
from origin.contract.replies import candidate, choose
from origin.contract.routes import route
from origin.contract.terms import Terms


def row(id_: str, **fields: Any) -> AssetRecord:
    known: dict[str, Any] = {
        "int_id": 1, "version": 2, "path": "/a.mp4", "size": 1, "width": 640, "height": 360,
        "codecs": "avc1.64001f,mp4a.40.2", "duration_ms": 14_000, "bitrate": 900_999,
        "frame_rate": 25.0, "tags": "mbr,web,ipad", "language": None, "label": None,
        "is_default": False, "flavor_params_id": None, "entry_id": "0_abcd1234",
        "mtime_ns": 0, "identity": b"", "created_at": 0, "replaced_at": None,
    }  # fmt: skip
    return AssetRecord(id=id_, **known | fields)


def content(*flavors: AssetRecord, **fields: Any) -> ContentRecord:
    known: dict[str, Any] = {
        "id": "0_abcd1234", "partner_id": 102, "name": "film", "type": 1, "media_type": 1,
        "status": 2, "moderation_status": 6, "start_at": None, "end_at": None, "version": 1,
        "cache_version": 0, "access_control_id": None, "playlist": None, "updated_at": 0,
        "partner_status": 1, "partner_cache_version": 0, "has_rules": False,
    }  # fmt: skip
    return ContentRecord(flavors=flavors, **known | fields)


SOUND = {"width": None, "height": None}
ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"bitrate": 900, "codec": "avc1.64001f", "is_audio": False, "width": 640}),
    ({"tags": ""}, {"tags": frozenset()}),
    ({"tags": "a,b"}, {"tags": frozenset({"a", "b"})}),
    (SOUND | {"codecs": "ec-3"}, {"is_audio": True, "codec": "ec-3", "height": 0}),
    # of what an import did not say, the tags tell
    (SOUND | {"codecs": "", "tags": "alt_audio"}, {"is_audio": True}),
    (SOUND | {"codecs": "", "tags": "mbr"}, {"is_audio": False}),
    ({"flavor_params_id": 7, "is_default": True}, {"params": 7, "is_default": True}),
]


@pytest.mark.parametrize(("fields", "expected"), ROWS)
def test_a_row_as_a_candidate(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    found = candidate(row("0_flav0001", **fields))
    assert {name: getattr(found, name) for name in expected} == expected


P = "/p/102/sp/10200/serveFlavor/entryId/0_abcd1234/v/2"
TWO = (row("0_aaaa1111"), row("0_bbbb2222", bitrate=2_000_000))
ADDRESSES = {
    "hls": f"/hls{P}/flavorId/0_,aaaa1111,bbbb2222,/name/a.mp4.urlset/master.m3u8",
    "mpegdash": f"/dash{P}/flavorId/0_,aaaa1111,bbbb2222,/name/a.mp4.urlset/manifest.mpd",
    "url": f"{P}/flavorId/0_bbbb2222/name/a.mp4",
    "download": f"{P}/flavorId/0_bbbb2222/fileName/film.mp4/name/a.mp4",
}


@pytest.mark.parametrize(("form", "expected"), ADDRESSES.items())
def test_addresses(form: str, expected: str) -> None:
    asked = parse_play_manifest(f"/p/102/playManifest/entryId/0_abcd1234/format/{form}")
    entry = content(*TWO)
    way = route(Terms(), asked, Access())
    assert address(entry, asked, choose(entry, asked), way) == expected


def test_a_wish_changes_no_address() -> None:
    path = "/p/102/playManifest/entryId/0_abcd1234/format/hls"
    entry = content(*TWO)
    usual = choose(entry, parse_play_manifest(path))
    wished = choose(entry, parse_play_manifest(f"{path}/preferredBitrate/9000"))
    assert wished.files == usual.files
    assert (usual.first, wished.first) == (1, 2)


@pytest.mark.parametrize("codec", ["hvc1.1.6.L93.B0", "hev1.1.6.L93.B0", "av01.0.04M.08"])
def test_what_a_transport_stream_cannot_carry(codec: str) -> None:
    entry = content(TWO[0], row("0_cccc3333", codecs=codec))
    asked = parse_play_manifest("/p/102/playManifest/entryId/0_abcd1234/format/hls")
    (folder,) = hls_folders(choose(entry, asked), ("/hls",))
    assert folder.startswith("/hls/container/fmp4/p/102/")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My film", "My_film.mp4"),
        ("../../etc/passwd", "______etc_passwd.mp4"),
        ('a"b\r\nc', "a_b__c.mp4"),
        ("é", "é.mp4"),
        ("", "video.mp4"),
        ("x" * 200, "x" * 100 + ".mp4"),
    ],
)
def test_names_of_files(name: str, expected: str) -> None:
    assert file_name(name) == expected
