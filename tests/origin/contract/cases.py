"""The delivery contract as a table: rows and a request, and what is answered.

``rest`` stands behind the entry's playManifest URL, or is a whole path; ``rows`` are changes of
the catalog, taken back after the case.  ``{a} {b} {c}`` are the entry's flavors, from the
smallest, ``{now}`` is the origin's clock in nanoseconds.  ``fields`` are patterns of whole
values, None for a field that is not there; ``body`` is a pattern found in the body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ENTRY = "0_abcd1234"
SECOND = 1_000_000_000
PUBLIC: Mapping[str, str | None] = {"cache-control": r"public, max-age=60"}
HLS_TYPE: Mapping[str, str | None] = {"content-type": r"application/vnd\.apple\.mpegurl"}
OPEN: Mapping[str, str | None] = {
    "access-control-allow-origin": r"\*",
    "access-control-expose-headers": r"Server, Range, Content-Length, Content-Range.*",
    "timing-allow-origin": r"\*",
    "access-control-allow-credentials": None,
}
FILE = rf"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/v/1/flavorId/{{c}}/name/a\.mp4"
SET = rf"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/v/1/flavorId/[^/]*/name/a\.mp4\.urlset"


@dataclass(frozen=True, kw_only=True)
class Case:
    rest: str
    rows: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    method: str = "GET"
    sent: str = ""
    """Body of the request."""

    status: int = 200
    fields: Mapping[str, str | None] = field(default_factory=dict)
    body: str = ""
    not_body: str = ""


BY_RECIPE = (
    "UPDATE flavor_asset SET flavor_params_id = "
    "CASE id WHEN '{a}' THEN 1 WHEN '{b}' THEN 2 ELSE 3 END"
)


def refused(rest: str, number: int, *rows: str, cache: str = "public, max-age=60") -> Case:
    fields: Mapping[str, str | None] = {
        "x-kaltura": f"error-{number}",
        "x-kaltura-app": rf"exiting on error {number} - .+",
        "cache-control": cache,
    }
    return Case(rest=rest, rows=rows, status=404, fields={**OPEN, **fields})


def leads(rest: str, location: str, *rows: str) -> Case:
    return Case(
        rest=rest, rows=rows, status=302, fields={**OPEN, **PUBLIC, "location": location}
    )


def profile(type_: int, streamer: str, url: str, **fields: object) -> str:
    """Id 1, of all partners and a default one, unless *fields* say another."""
    known: dict[str, object] = {"id": 1, "is_default": 1, "settings": "{{}}"} | fields
    names = ", ".join(known)
    values = ", ".join(repr(value) for value in known.values())
    return (
        f"INSERT INTO delivery_profile (type, streamer_type, url, {names})"
        f" VALUES ({type_}, '{streamer}', '{url}', {values})"
    )


def edge(id_: int, age: int = 0, parent: str = "NULL") -> str:
    """Heard of *age* seconds ago."""
    return (
        "INSERT INTO server_node (id, host_name, heartbeat_at, parent_id, settings)"
        f" VALUES ({id_}, 'edge{id_}.example', {{now}} - {age * SECOND}, {parent}, '{{{{}}}}')"
    )


def partner(settings: str) -> str:
    escaped = settings.replace("{", "{{").replace("}", "}}")
    return f"UPDATE partner SET settings = '{escaped}'"


def entry(change: str) -> str:
    return f"UPDATE entry SET {change}"


CDN = profile(61, "applehttp", "http://cdn.example/hls")
HLS = "format/applehttp/a.m3u8"
VARIANT = r"\nhttp://cdn\.example/hls/p/101/sp/10100/serveFlavor/.*/index-f1-v1-a1\.m3u8\n"

FORMATS = {
    "applehttp": Case(
        rest=HLS, fields={**OPEN, **PUBLIC, **HLS_TYPE}, body=rf"\n/hls{SET}/index-f3"
    ),
    "hls": Case(rest="format/hls", fields=HLS_TYPE),
    "hls has no tags of its own": refused(
        "format/hls", 6, "UPDATE flavor_asset SET tags = 'ipadnew'"
    ),
    "mpegdash": leads("format/mpegdash", rf"/dash{SET}/manifest\.mpd"),
    "url": leads("format/url", FILE),
    "download": leads("format/download", FILE.replace("/name/", r"/fileName/film\.mp4/name/")),
    "http, redirected": leads("responseFormat/redirect", FILE),
    "http as F4M": refused("format/http", 18),
    "sl without a profile": refused("format/sl", 18),
    "sl, packaged elsewhere": leads(
        "format/sl",
        rf"http://mss\.example/mss{SET}/manifest",
        profile(67, "sl", "mss.example/mss"),
    ),
    "hds without a profile": refused("format/hds", 18),
    "hds, packaged elsewhere": leads(
        "format/hds",
        rf"http://hds\.example/hds{SET}/manifest\.f4m",
        profile(63, "hds", "hds.example"),
    ),
    **{
        f"{name} is not built": refused(f"format/{name}", 18)
        for name in (
            "rtsp", "rtmp", "hdnetwork", "hdnetworkmanifest", "hdnetworksmil",
            "multicast_silverlight", "applehttp_to_mc", "auto",
        )
    },
    "a format that is none": refused("format/smooth", 50),
    "responseFormat json": Case(
        rest="format/url/responseFormat/json",
        fields={**OPEN, **PUBLIC, "content-type": "application/json"},
        body=rf'^{{"entryId": "{ENTRY}", "duration": [0-9.]+, "baseUrl": "", "flavors": \[{{',
    ),
    "responseFormat jsonp": Case(
        rest="format/url/responseFormat/jsonp/callback/a.b_1",
        fields={"content-type": "text/javascript; charset=utf-8"},
        body=r"^a\.b_1\(\{.*\}\);$",
    ),
    "jsonp without a callback": refused("format/url/responseFormat/jsonp", 20),
    "a callback that is none": refused("format/url/responseFormat/jsonp/callback/a(b", 50),
    "responseFormat redirect": leads(
        "format/applehttp/responseFormat/redirect", rf"/hls{SET}/master\.m3u8"
    ),
    "responseFormat f4m": refused("format/url/responseFormat/f4m", 18),
    "responseFormat f4mv2": refused("format/url/responseFormat/f4mv2", 18),
    "responseFormat smil": refused("format/url/responseFormat/smil", 18),
    "responseFormat of another format": refused("format/mpegdash/responseFormat/m3u8", 50),
}  # fmt: skip

PARAMETERS = {
    "no entryId": refused("/p/101/playManifest/format/url/a.mp4", 20),
    "short names": leads(f"/p/101/playManifest/e/{ENTRY}/f/url/pt/http/a.mp4", FILE),
    "/s/p": leads(f"/s/p/101/sp/10100/playManifest/entryId/{ENTRY}/format/url", FILE),
    "the query": leads("a.mp4?format=url", FILE),
    "the path wins over the query": leads("format/url/a.mp4?format=hls", FILE),
    "the first wins": leads("format/url/format/hls/f/sl", FILE),
    "a form": Case(
        rest="a.mp4", method="POST", sent="format=url",
        lines=("Content-Type: application/x-www-form-urlencoded",),
        status=302, fields={"location": FILE},
    ),
    "JSON": Case(
        rest="a.mp4", method="POST", sent='{{"format": "url", "fs": "{a}"}}',
        lines=("Content-Type: application/json",),
        status=302, fields={"location": FILE.replace("{c}", "{a}")},
    ),
    "the path wins over a body": Case(
        rest="format/url", method="POST", sent="format=hls",
        lines=("Content-Type: application/x-www-form-urlencoded",),
        status=302, fields={"location": FILE},
    ),
    "a body of another kind": Case(
        rest="format/url", method="POST", sent="x", status=400,
        fields={"cache-control": "no-store"},
    ),
    "a POST of anything else": Case(
        rest="/hls/e/x/master.m3u8", method="POST", status=405,
        fields={"allow": "GET, HEAD, OPTIONS"},
    ),
    "protocol https": Case(
        rest="format/applehttp/protocol/https", rows=(CDN,), body=r"\nhttps://cdn\.example/hls/"
    ),
    "protocol null": leads("format/url/protocol/null", FILE),
    "protocol rtmp": refused("format/url/protocol/rtmp", 18),
    "flavorId": leads("format/url/flavorId/{a}", FILE.replace("{c}", "{a}")),
    "flavorIds": Case(
        rest="format/hls/flavorIds/{a},{b}", body="index-f2", not_body="index-f3"
    ),
    "flavorParamId": leads(
        "format/url/flavorParamId/5", FILE.replace("{c}", "{b}"),
        "INSERT INTO flavor_params (id) VALUES (5)",
        "UPDATE flavor_asset SET flavor_params_id = 5 WHERE id = '{b}'",
    ),
    "tags: the first group that matches": leads(
        "format/url/tags/none,special,web", FILE.replace("{c}", "{a}"),
        "UPDATE flavor_asset SET tags = 'special' WHERE id = '{a}'",
    ),
    "tags that nothing has": refused("format/url/tags/none", 6),
    "preferredBitrate": leads("format/url/preferredBitrate/1", FILE.replace("{c}", "{a}")),
    "maxBitrate": leads(
        "format/url/maxBitrate/1000", FILE.replace("{c}", "{b}"),
        "UPDATE flavor_asset SET bitrate = 900000 WHERE id = '{b}'",
        "UPDATE flavor_asset SET bitrate = 2000000 WHERE id = '{c}'",
        "UPDATE flavor_asset SET bitrate = 100000 WHERE id = '{a}'",
    ),
    "maxBitrate that is none": refused("format/url/maxBitrate/x", 19),
    "minBitrate that is none": refused("format/url/mib/0", 49),
    "seekFrom and clipTo": leads(
        "format/mpegdash/seekFrom/7000/clipTo/9000",
        rf"/dash{SET}/manifest\.mpd".replace(
            "/v/1/", "/clipTo/9000/clipFrom/7000/v/1/"
        ),
    ),
    "playbackRate": refused("format/hls/playbackRate/2", 50),
    "tracks": Case(rest="format/hls/tracks/v1/a.m3u8", body=r"/tracks/v1\.urlset/index-f1-v1"),
    "tracks that cannot be": refused("format/hls/tracks/1v", 50),
    "sequence": Case(
        rest=f"format/hls/sequence/{ENTRY},{ENTRY}/a.m3u8", status=302,
        fields={
            **OPEN, **PUBLIC,
            "location": rf"/hls/p/101/sp/10100/serveFlavor/entryId/{ENTRY}"
            rf"/sequence/{ENTRY},{ENTRY}/v/\d+/flavorIds/{{a}},{{b}},{{c}}/name/a\.mp4/master\.m3u8",
        },
    ),
    "sequence with the same recipes": Case(
        rest=f"format/mpegdash/tags/mbr/sequence/{ENTRY}/a.mpd", status=302,
        rows=(BY_RECIPE,),
        fields={"location": r"/dash/p/.*/flavorParamIds/1,2,3/name/a\.mp4/manifest\.mpd"},
    ),
    "sequence as JSON": Case(
        rest=f"format/hls/responseFormat/json/sequence/{ENTRY}/a.m3u8",
        body=r'"duration": 28\.0',
    ),
    "sequence of a file": refused(f"format/url/sequence/{ENTRY}", 50),
    "sequence of an entry that is not there": refused("format/hls/sequence/0_zzzzzzzz", 1),
    "sequence that cannot be": refused("format/hls/sequence/x", 50),
    "sequence of a part": refused(f"format/hls/seekFrom/1/sequence/{ENTRY}", 50),
    "storageId that is none": refused("format/url/storageId/x", 50),
    "deliveryProfileId": Case(
        rest="format/hls/deliveryProfileId/7", body=r"\nhttp://seven\.example/hls/",
        rows=(CDN, profile(61, "applehttp", "seven.example/hls", id=7, is_default=0)),
    ),
    "deliveryProfileIds that are not there": refused(
        "format/hls/deliveryProfileIds/8,9", 18, CDN
    ),
    "deliveryProfileId that is none": refused("format/hls/deliveryProfileId/x", 50),
    "deliveryCode": Case(
        rest="format/hls/deliveryCode/eu1", body=r"\nhttp://eu1\.example/hls/",
        rows=(profile(61, "applehttp", "{{deliveryCode}}.example/hls"),),
    ),
    "deliveryCode with more in it": refused("format/hls/deliveryCode/eu1.evil", 50, CDN),
    "playbackContext": Case(
        rest="format/hls/playbackContext/live1", body=r"\nhttp://cdn\.example/live1/hls/",
        rows=(profile(61, "applehttp", "cdn.example/{{playbackContext}}/hls"),),
    ),
    "sessionId": Case(
        rest="format/hls/sessionId/s1", body=r"\nhttp://cdn\.example/s1/hls/",
        rows=(profile(61, "applehttp", "cdn.example/{{sessionId}}/hls"),),
    ),
    "cdnHost chooses among profiles": Case(
        rest="format/hls/cdnHost/two.example", body=r"\nhttp://two\.example/hls/",
        rows=(CDN, profile(61, "applehttp", "two.example/hls", id=2)),
    ),
    "cdnHost is no host by itself": Case(
        rest="format/hls/cdnHost/evil.example", body=r"\n/hls/p/101/", not_body="evil"
    ),
    "expiry": refused("format/url/expiry/1700000000", 28),
    "kt": refused("format/url/kt/0123", 27),
    "what means nothing": leads(
        "format/url/ks/djJ8/hashes/a=b/referrer/aHR0cDovL3g=/streamType/live/uiConfId/1"
        "/usePlayServer/1/playerConfig/x/playSessionId/y/clientTag/z/_/1/other/x",
        FILE,
    ),
    "a session in a header": Case(
        rest="format/url", lines=("X-Kaltura-Ks: djJ8",), status=302, fields=PUBLIC
    ),
    "type media": Case(
        rest="format/hls/type/media", not_body="EXT-X-MEDIA",
        rows=("UPDATE flavor_asset SET tags = 'alt_audio' WHERE id = '{a}'",),
    ),
    "muxedAudioLang": Case(rest="format/hls/muxedAudioLang/eng", body="index-f3"),
    "muxedAudioLang that is not there": leads(
        "format/hls/muxedAudioLang/eng/responseFormat/redirect", rf"/hls{SET}/master\.m3u8"
    ),
    "defaultAudioLang that is not there": Case(rest="format/hls/defaultAudioLang/fra"),
}  # fmt: skip

DELIVERY = {
    "no rows": Case(rest=HLS, body=r"\n/hls/p/101/", fields={"x-servernodeids": None}),
    "VOD_PACKAGER_HLS": Case(rest=HLS, rows=(CDN,), body=VARIANT.replace("f1", "f3")),
    "VOD_PACKAGER_HLS_MANIFEST": leads(
        HLS, rf"http://cdn\.example/hls{SET}/master\.m3u8",
        profile(69, "applehttp", "cdn.example/hls"),
    ),
    "GENERIC_HLS_MANIFEST with a pattern": leads(
        HLS, rf"http://cdn\.example/i{SET}/x\.m3u8",
        profile(25, "applehttp", "cdn.example",
                settings='{{"pattern": "/i{{url}}/x.m3u8"}}'),
    ),
    "VOD_PACKAGER_DASH": leads(
        "format/mpegdash/protocol/https", rf"https://d\.example/dash{SET}/manifest\.mpd",
        profile(68, "mpegdash", "d.example/dash"),
    ),
    "HTTP": leads("format/url", rf"http://f\.example{FILE}", profile(4, "http", "f.example")),
    "JSON tells the profile's host": Case(
        rest="format/url/responseFormat/json", rows=(profile(4, "http", "f.example"),),
        body=r'"url": "http://f\.example/p/101/',
    ),
    "a profile of another streamer type": Case(
        rest=HLS, rows=(profile(68, "mpegdash", "d.example"),), body=r"\n/hls/p/101/"
    ),
    "a scheme that it has not": refused(
        HLS, 18, profile(61, "applehttp", "cdn.example", media_protocols="https")
    ),
    "only with a tokenizer": refused(
        HLS, 18, profile(61, "applehttp", "cdn.example", tokenizer='{{"type": "akamai"}}')
    ),
    "the partner's own goes first": Case(
        rest=HLS, body=r"\nhttp://own\.example/hls/",
        rows=(CDN, profile(61, "applehttp", "own.example", id=2, partner_id=101, is_default=0)),
    ),
    "in the partner's order": Case(
        rest=HLS, body=r"\nhttp://two\.example/hls/",
        rows=(CDN, profile(61, "applehttp", "two.example", id=2),
              partner('{"delivery_profile_ids": {"applehttp": [2, 1]}}')),
    ),
    "by weight": Case(
        rest=HLS, body=r"\nhttp://two\.example/hls/", not_body=r"cdn\.example",
        rows=(CDN, profile(61, "applehttp", "two.example", id=2),
              partner('{"cdn_ratios": {"2": 1}}')),
    ),
    "others behind": Case(
        rest=HLS, body=r"(?s)\nhttp://two\.example/hls/.*\nhttp://cdn\.example/hls/",
        rows=(CDN, profile(61, "applehttp", "two.example", id=2),
              partner('{"cdn_ratios": {"2": 1}, "cdnFallback": true}')),
    ),
    "edges first, then the CDN": Case(
        rest=HLS,
        body=r"(?s)\nhttp://edge2\.example/kVOD/edge1\.example/kVOD/cdn\.example/hls/p/.*"
        r"\nhttp://cdn\.example/hls/p/",
        fields={**PUBLIC, "x-servernodeids": "2"},
        rows=(CDN, edge(1), edge(2, parent="1"),
              partner('{"edgeServerIds": [2], "seamlessFallback": true}')),
    ),
    "edges alone": Case(
        rest=HLS, body=r"\nhttp://edge1\.example/kVOD/cdn\.example/hls/",
        not_body=r"\nhttp://cdn", fields={"x-servernodeids": "1"},
        rows=(CDN, edge(1), partner('{"edgeServerIds": [1]}')),
    ),
    "an edge that is silent": Case(
        rest=HLS, body=r"\nhttp://cdn\.example/hls/", not_body="kVOD",
        fields={"x-servernodeids": None},
        rows=(CDN, edge(1, 120), partner('{"edgeServerIds": [1]}')),
    ),
    "a parent that is silent": Case(
        rest=HLS, body=r"\nhttp://edge2\.example/kVOD/cdn\.example/hls/",
        rows=(CDN, edge(1, 300), edge(2, parent="1"), partner('{"edgeServerIds": "2"}')),
    ),
    "DASH through an edge": Case(
        rest="format/mpegdash", status=302,
        rows=(profile(68, "mpegdash", "d.example/dash"), edge(1),
              partner('{"edgeServerIds": [1], "seamlessFallback": true}')),
        fields={"location": rf"http://edge1\.example/kVOD/d\.example/dash{SET}/manifest\.mpd",
                "x-servernodeids": "1"},
    ),
    "settings that cannot be": Case(
        rest=HLS, rows=(partner('{"edgeServerIds": "x"}'),), status=502,
        fields={"cache-control": "no-store",
                "x-headrace-error": r"partner 101: settings\.edgeServerIds is not .*"},
    ),
}  # fmt: skip

CACHING = {
    "a page of anyone": Case(rest="format/url", status=302, fields={**OPEN, "vary": None}),
    "a page that a partner allows": Case(
        rest=HLS, lines=("Origin: https://a.example",),
        rows=(partner('{"allowedOrigins": ["https://a.example"]}'),),
        fields={"access-control-allow-origin": r"https://a\.example",
                "access-control-allow-credentials": "true", "vary": "Accept-Encoding, Origin"},
    ),
    "a page that it does not allow": Case(
        rest="format/url", lines=("Origin: https://b.example",), status=302,
        rows=(partner('{"allowedOrigins": ["https://a.example"]}'),),
        fields={"access-control-allow-origin": None, "vary": "Origin",
                "access-control-allow-credentials": None},
    ),
    "until the schedule ends": Case(
        rest="format/url", rows=(entry(f"end_at = {{now}} + {20 * SECOND}"),), status=302,
        fields={"cache-control": r"public, max-age=20"},
    ),
    "a strong validator": Case(rest=HLS, fields={"etag": '"[0-9a-f]+"'}),
}  # fmt: skip

ERRORS = {
    "1, of an entry that is not there": refused(
        "/p/101/playManifest/entryId/0_zzzzzzzz/format/url", 1
    ),
    "1, of an id that is none": refused("/p/101/playManifest/entryId/x/format/url", 1),
    "1, of another partner's": refused(f"/p/7/playManifest/entryId/{ENTRY}/format/url", 1),
    "2, before its time": refused(
        "format/url", 2, entry(f"start_at = {{now}} + {99 * SECOND}")
    ),
    "2, soon": refused(
        "format/url", 2, entry(f"start_at = {{now}} + {5 * SECOND}"), cache="public, max-age=5"
    ),
    "2, after its time": refused("format/url", 2, entry("end_at = 1")),
    "3, which is not kept": refused(
        "format/url", 3,
        "INSERT INTO access_control (id, rules) VALUES (1, '[1]')",
        entry("access_control_id = 1"), cache="no-store",
    ),
    "6": refused("format/url", 6, "UPDATE flavor_asset SET status = 1"),
    "9, deleted": refused("format/url", 9, entry("status = 3")),
    "9, rejected": refused("format/url", 9, entry("moderation_status = 3")),
    "12": refused("format/url", 12, entry("type = 7")),
    "13": refused("format/url", 13, entry("moderation_status = 1")),
    "15": refused("format/url", 15, "UPDATE partner SET status = 2"),
    "a path that cannot be one": Case(
        rest="../a.mp4", status=400, fields={"cache-control": "no-store", "x-kaltura": None}
    ),
    "another resource": Case(rest=f"/p/101/raw/entry_id/{ENTRY}", status=400),
}  # fmt: skip

BELOW = f"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}"
SERVE_FLAVOR = {
    "a file": Case(
        rest=f"{BELOW}/v/1/flavorId/{{a}}/name/a.mp4",
        fields={"content-type": "video/mp4", "accept-ranges": "bytes", "etag": '".+"',
                "cache-control": "public, max-age=31536000, immutable"},
    ),
    "of today": Case(
        rest=f"{BELOW}/flavorId/{{a}}/name/a.mp4",
        fields={"cache-control": "public, max-age=10"},
    ),
    "/pv and /ev": Case(
        rest=f"{BELOW}/v/1/pv/2/ev/3/flavorId/{{a}}/forceproxy/true/name/a.mp4"
    ),
    "with a name": Case(
        rest=f"{BELOW}/flavorId/{{a}}/fileName/x.mp4/name/a.mp4",
        fields={"content-disposition": r'attachment; filename="x\.mp4".*'},
    ),
    "a range": Case(
        rest=f"{BELOW}/flavorId/{{a}}/name/a.mp4", lines=("Range: bytes=0-9",), status=206,
        fields={"content-range": r"bytes 0-9/[0-9]+"},
    ),
    "another partner's": refused(
        f"/p/7/serveFlavor/entryId/{ENTRY}/flavorId/{{a}}/name/a.mp4", 1
    ),
    "a flavor that is not there": refused(f"{BELOW}/flavorId/0_zzzzzzzz/name/a.mp4", 6),
    "of an entry with rules": refused(
        f"{BELOW}/flavorId/{{a}}/name/a.mp4", 3,
        "INSERT INTO access_control (id, rules) VALUES (1, '[1]')",
        entry("access_control_id = 1"), cache="no-store",
    ),
    "one flavor as HLS": Case(rest=f"/hls{BELOW}/v/1/flavorId/{{a}}/name/a.mp4/index.m3u8"),
    "in fMP4": Case(
        rest=f"/hls/container/fmp4{BELOW}/v/1/flavorId/{{a}}/name/a.mp4/master.m3u8"
    ),
    **{
        f"{name} is not built": Case(
            rest=f"{BELOW}/{name}/1/flavorId/{{a}}/name/a.mp4", status=400,
            fields={"x-headrace-error": f"{name} is not supported yet"},
        )
        for name in ("live", "file", "seekFromBytes", "speed")
    },
    "several entries are no file": Case(
        rest=f"{BELOW}/sequence/{ENTRY}/flavorId/{{a}}/name/a.mp4", status=400,
        fields={"x-headrace-error": "sequence: several entries are no file"},
    ),
    "pathOnly, which may tell keys": Case(
        rest=f"{BELOW}/flavorId/{{a}}/name/a.mp4?pathOnly=1", status=400
    ),
}  # fmt: skip

LEGACY = '{{"legacyBandwidth": true}}'
TRAPS = {
    "1: BANDWIDTH is the true peak": Case(rest=HLS, not_body="PROGRAM-ID", fields=HLS_TYPE),
    "1: unless a profile sets legacyBandwidth": Case(
        rest="format/applehttp/flavorId/{a}",
        rows=(profile(61, "applehttp", "/hls", settings=LEGACY),
              "UPDATE flavor_asset SET bitrate = 900999, frame_rate = 25 WHERE id = '{a}'"),
        fields={"content-type": "application/x-mpegurl"},
        body=r"#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=960434,",
    ),
    "2: flavorIds that match nothing": Case(
        rest="format/hls/flavorIds/0_zzzzzzzz", body="-f3-"
    ),
    "2: bit rates that match nothing": Case(rest="format/hls/minBitrate/999999", body="-f3-"),
    "3: a clip stands behind the entry": leads(
        "format/mpegdash/ct/9000", rf"/dash/p/101/.*/entryId/{ENTRY}/clipTo/9000/v/1/.*"
    ),
    "4: a set may split an id": Case(
        rest=f"/hls{BELOW}/flavorId/{{a2}},{{a_rest}},,/name/a.mp4.urlset/master.m3u8",
        status=400,  # the second of its parts is no id
    ),
    "5: one flavor is no set": leads(
        "format/mpegdash/flavorId/{a}", r"/dash/.*/flavorId/{a}/name/a\.mp4/manifest\.mpd"
    ),
    "6: a session is not opened": Case(rest="format/url/ks/djJ8MTAyfA==", status=302),
    "7: signed URLs are not verified": Case(
        rest=f"{BELOW}/flavorId/{{a}}/name/a.mp4/exp/1/sig/x/a.mp4", status=400
    ),
    "8: DASH is a redirect": leads("format/mpegdash", r"/dash/.*"),
    "9: hls has no tags of its own": refused(
        "format/hls", 6, "UPDATE flavor_asset SET tags = 'ipadnew'"
    ),
    "9: applehttp has": Case(
        rest=HLS, rows=("UPDATE flavor_asset SET tags = 'ipadnew'",), body="-f3-"
    ),
    "10: errors are 404 and kept": refused("format/url/tags/none", 6),
    "10: also of access control, which is not kept": refused(
        "format/url", 3,
        "INSERT INTO access_control (id, rules) VALUES (1, '[1]')",
        entry("access_control_id = 1"), cache="no-store",
    ),
}  # fmt: skip


def storage(id_: int, protocol: int, url: str, folder: str = "/media", status: int = 2) -> str:
    return (
        "INSERT INTO storage_profile (id, protocol, url, base_dir, status, settings)"
        f" VALUES ({id_}, {protocol}, '{url}', '{folder}', {status}, '{{{{}}}}')"
    )


def copy(flavor: str, dc: int, status: int = 2) -> str:
    return (
        "INSERT INTO file_sync (object_type, object_id, version, dc, status, file_path,"
        f" updated_at) VALUES (4, '{flavor}', 1, {dc}, {status}, '/x.mp4', 1)"
    )


def priority(number: int) -> str:
    return partner(f'{{"storageServePriority": {number}}}')


S3 = storage(5, 6, "")

LESSER = FILE.replace("{c}", "{b}")
ELSEWHERE = (S3, copy("{c}", 0, 4), copy("{c}", 5))
"""The best flavor is in an object store alone."""

STORAGES = {
    "here, as without rows": leads("format/url", FILE, S3),
    "a copy that is not ready yet changes nothing": leads(
        "format/url", FILE, S3, copy("{c}", 5, 1)
    ),
    "in a storage alone": leads("format/url", FILE, *ELSEWHERE),
    "purged here, and nowhere else": leads("format/url", LESSER, copy("{c}", 0, 4)),
    "in a data centre that is no storage": leads(
        "format/url", LESSER, copy("{c}", 0, 4), copy("{c}", 6)
    ),
    "not ready there": leads("format/url", LESSER, S3, copy("{c}", 0, 4), copy("{c}", 5, 1)),
    "a storage that is disabled": leads(
        "format/url", LESSER, storage(5, 6, "", status=1), *ELSEWHERE[1:]
    ),
    "a storage that cannot be read": leads(
        "format/url", LESSER, storage(5, 1, "ftp.example"), *ELSEWHERE[1:]
    ),
    "a storage by its address": leads(
        "format/url", FILE, storage(5, 1, "https://files.example/x"), *ELSEWHERE[1:]
    ),
    "a folder": leads("format/url", FILE, storage(5, 7, ""), *ELSEWHERE[1:]),
    "priority 1, ours only": leads("format/url", LESSER, priority(1), *ELSEWHERE),
    "priority 2, ours first": leads("format/url", FILE, priority(2), *ELSEWHERE),
    "priority 3, remote first": leads("format/url", FILE, priority(3), *ELSEWHERE),
    "priority 4, remote only": leads(
        "format/url/preferredBitrate/1", FILE, priority(4), *ELSEWHERE
    ),
    "priority 4, and nothing is there": refused("format/url", 6, priority(4)),
    "a priority that is none": Case(rest="format/url", rows=(priority(0),), status=502),
    "the storage that holds the most": leads(
        "format/url", LESSER, priority(4), S3, storage(7, 6, ""), copy("{c}", 5),
        copy("{a}", 7), copy("{b}", 7),
    ),
    "storageId": leads(
        "format/url/storageId/5/preferredBitrate/1",
        FILE.replace("/name/", "/preferredStorageId/5/name/"), *ELSEWHERE,
    ),
    "storageId that holds nothing": refused("format/url/storageId/5", 6, S3),
    "storageId that is not there": refused("format/url/storageId/6", 50, S3),
    "storageId that is disabled": refused(
        "format/url/storageId/5", 50, storage(5, 6, "", status=1), *ELSEWHERE[1:]
    ),
    "what cannot be opened": Case(
        rest="/p/101/sp/10100/serveFlavor/entryId/" + ENTRY + "/flavorId/{c}/name/a.mp4",
        rows=ELSEWHERE, status=503, fields={"cache-control": "no-store"},
    ),
}  # fmt: skip

TABLES = {
    "format": FORMATS,
    "parameter": PARAMETERS,
    "delivery": DELIVERY,
    "caching": CACHING,
    "error": ERRORS,
    "serveFlavor": SERVE_FLAVOR,
    "trap": TRAPS,
    "storage": STORAGES,
}
