"""The playManifest URL: the contract's rows of parameters and formats, and its traps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.contract.access import Asker
from origin.contract.formats import FORMATS, Output, Reply
from origin.contract.play_manifest import (
    PlayManifest,
    is_play_manifest,
    parse_play_manifest,
    render_play_manifest,
)
from origin.contract.refusals import Number, Refused
from origin.contract.wishes import DeliveryWishes
from origin.errors import BadUrl
from origin.parameters import Parameters
from origin.tracks import parse_tracks

BASE = "/p/102/sp/10200/playManifest/entryId/0_abcd1234"


def asked(form: str = "applehttp", **fields: Any) -> PlayManifest:
    known = FORMATS[form]
    assert known.output is not None
    fields = {"output": known.output, "reply": known.reply} | fields
    return PlayManifest(partner=102, entry="0_abcd1234", format=known, **fields)


def wishing(**fields: Any) -> PlayManifest:
    return asked(delivery=DeliveryWishes(**fields))


HLS = f"{BASE}/format/applehttp"
PARAMETERS = {
    # each name, long and short
    f"{HLS}/protocol/https/a.m3u8": asked(scheme="https"),
    f"{HLS}/pt/https/a.m3u8": asked(scheme="https"),
    f"{HLS}/protocol/null/a.m3u8": asked(),
    f"{HLS}/protocol//a.m3u8": asked(),
    f"{HLS}/flavorId/0_flav0001/a.m3u8": asked(flavor_ids=("0_flav0001",)),
    f"{HLS}/fi/0_flav0001/a.m3u8": asked(flavor_ids=("0_flav0001",)),
    f"{HLS}/flavorIds/0_flav0001,0_flav0002/a.m3u8": asked(
        flavor_ids=("0_flav0001", "0_flav0002")
    ),
    f"{HLS}/fs/0_flav0001,0_flav0002/a.m3u8": asked(flavor_ids=("0_flav0001", "0_flav0002")),
    f"{HLS}/flavorParamId/5/a.m3u8": asked(flavor_params=(5,)),
    f"{HLS}/fp/5/a.m3u8": asked(flavor_params=(5,)),
    f"{HLS}/flavorParamIds/5,6/a.m3u8": asked(flavor_params=(5, 6)),
    f"{HLS}/fps/5,6/a.m3u8": asked(flavor_params=(5, 6)),
    f"{HLS}/tags/ipad,web/a.m3u8": asked(tags=("ipad", "web")),
    f"{HLS}/t/ipad, web/a.m3u8": asked(tags=("ipad", "web")),
    f"{HLS}/preferredBitrate/900/a.m3u8": asked(preferred_bitrate=900),
    f"{HLS}/pb/900/a.m3u8": asked(preferred_bitrate=900),
    f"{HLS}/pb/fast/a.m3u8": asked(),
    f"{HLS}/maxBitrate/1500/a.m3u8": asked(max_bitrate=1500),
    f"{HLS}/mb/1500.75/a.m3u8": asked(max_bitrate=1500),
    f"{HLS}/minBitrate/300/a.m3u8": asked(min_bitrate=300),
    f"{HLS}/mib/300/a.m3u8": asked(min_bitrate=300),
    f"{HLS}/type/media/a.m3u8": asked(media_only=True),
    f"{HLS}/type/other/a.m3u8": asked(),
    f"{HLS}/expiry/1893456000/a.m3u8": asked(expiry=1893456000),
    f"{HLS}/ex/soon/a.m3u8": asked(expiry=0),
    f"{HLS}/responseFormat/jsonp/callback/jQuery1.x_2/a.m3u8": asked(
        reply=Reply.JSONP, callback="jQuery1.x_2"
    ),
    f"{HLS}/callback/<script>/a.m3u8": asked(),  # of no meaning without jsonp
    # what asks for nothing that is not there
    f"{HLS}/seekFrom/0/clipTo/0/playbackRate/1/a.m3u8": asked(),
    f"{HLS}/seekFrom/7000/clipTo/9000/a.m3u8": asked(clip=Parameters(7000, 9000)),
    f"{HLS}/ct/9000/a.m3u8": asked(clip=Parameters(None, 9000)),
    f"{HLS}/sf/7000/a.m3u8": asked(clip=Parameters(7000)),
    f"{HLS}/sequence/0_abcd9999,0_abcd8888/a.m3u8": asked(before=("0_abcd9999", "0_abcd8888")),
    f"{HLS}/tracks/v1-a2/a.m3u8": asked(clip=Parameters(tracks=parse_tracks("v1-a2"))),
    # names of the contract without a meaning here, and names of players
    f"{HLS}/streamType/live/uiConfId/1/usePlayServer/1/playerConfig/x"
    "/playSessionId/z/clientTag/html5/_/1/a.m3u8": asked(),
    # from where, in which language, for whom
    f"{HLS}/storageId/3/cdnHost/x.y/deliveryProfileId/1001/deliveryCode/a": wishing(
        storage=3, host="x.y", profiles=(1001,), fills=(("deliveryCode", "a"),)
    ),
    f"{HLS}/si/3/ch/x:81/deliveryProfileIds/7,1001/dc/a/pc/b-2/sessionId/y": wishing(
        storage=3,
        host="x:81",
        profiles=(7, 1001),
        fills=(("deliveryCode", "a"), ("playbackContext", "b-2"), ("sessionId", "y")),
    ),
    f"{HLS}/defaultAudioLang/ENG/muxedAudioLang/pt-BR": wishing(
        default_audio="eng", muxed_audio="pt-BR"
    ),
    f"{HLS}/cdnHost/no_host/defaultAudioLang/1": asked(),
    f"{HLS}/referrer/aHR0cDovL3g=/ks/djJ8/hashes/a=b,c=d/a.m3u8": wishing(
        asker=Asker(session="djJ8", referrer="http://x", hashes="a=b,c=d")
    ),
    # base64 as a query and a path leave it
    f"{HLS}/a.m3u8?r=aHR0cDovL2E/Pj4+": wishing(asker=Asker(referrer="http://a?>>>")),
    f"{HLS}/r/aHR0cDovL2E_Pj4-": wishing(asker=Asker(referrer="http://a?>>>")),
    f"{HLS}/r/!": asked(),
    f"{HLS}/whatever/value/a.m3u8": asked(),
    f"{HLS}/disableCaptions/1/a.m3u8": asked(captions=False),
    f"{HLS}/disableCaptions/false/a.m3u8": asked(),
    # order, repetition, prefix, decoration
    "/p/102/sp/10200/playManifest/f/applehttp/e/0_abcd1234/a.m3u8": asked(),
    "/p/102/playManifest/entryId/0_abcd1234/format/applehttp/a.m3u8": asked(),
    "/s/p/102/sp/10200/playManifest/entryId/0_abcd1234/format/applehttp/a.m3u8": asked(),
    f"{HLS}/format/mpegdash/f/url/a.m3u8": asked(),
    f"{HLS}/maxBitrate/500/mb/900/a.m3u8": asked(max_bitrate=500),
    f"{HLS}": asked(),
    f"{HLS}/name.of-any.kind.m3u8": asked(),
    # the query, which the path wins over
    f"{BASE}/a.m3u8?format=applehttp&protocol=https": asked(scheme="https"),
    f"{HLS}/a.m3u8?format=mpegdash&mb=700": asked(max_bitrate=700),
    f"{HLS}/a.m3u8?maxBitrate=&tags=": asked(),
    "/p/102/playManifest/a.m3u8?entryId=0_abcd1234&f=applehttp": asked(),
}


@pytest.mark.parametrize(("url", "expected"), PARAMETERS.items(), ids=PARAMETERS)
def test_parameters(url: str, expected: PlayManifest) -> None:
    path, _, query = url.partition("?")
    assert is_play_manifest(path)
    found = parse_play_manifest(path, query)
    assert found == expected
    assert parse_play_manifest(render_play_manifest(found)) == found


NOT_BUILT = (
    "rtsp", "hdnetworkmanifest", "hdnetwork", "hdnetworksmil", "rtmp",
    "multicast_silverlight", "applehttp_to_mc", "auto",
)  # fmt: skip
REPLIES = {
    ("url", ""): (Output.PROGRESSIVE, Reply.REDIRECT),
    ("download", ""): (Output.DOWNLOAD, Reply.REDIRECT),
    ("applehttp", ""): (Output.HLS, Reply.MASTER),
    ("hls", ""): (Output.HLS, Reply.MASTER),
    ("mpegdash", ""): (Output.DASH, Reply.REDIRECT),
    ("sl", ""): (Output.SMOOTH, Reply.REDIRECT),
    ("hds", ""): (Output.HDS, Reply.REDIRECT),
    ("http", "redirect"): (Output.PROGRESSIVE, Reply.REDIRECT),
    ("http", "json"): (Output.PROGRESSIVE, Reply.JSON),
    ("applehttp", "redirect"): (Output.HLS, Reply.REDIRECT),
    ("applehttp", "json"): (Output.HLS, Reply.JSON),
    ("applehttp", "m3u8"): (Output.HLS, Reply.MASTER),
    ("mpegdash", "json"): (Output.DASH, Reply.JSON),
    ("http", ""): Number.DELIVERY_METHOD_NOT_ALLOWED,  # that would be F4M
    ("applehttp", "f4m"): Number.DELIVERY_METHOD_NOT_ALLOWED,
    ("applehttp", "f4mv2"): Number.DELIVERY_METHOD_NOT_ALLOWED,
    ("url", "smil"): Number.DELIVERY_METHOD_NOT_ALLOWED,
    ("mpegdash", "m3u8"): Number.INVALID_PARAMETER,
    ("url", "xml"): Number.INVALID_PARAMETER,
    ("smooth", ""): Number.INVALID_PARAMETER,
    **{(form, ""): Number.DELIVERY_METHOD_NOT_ALLOWED for form in NOT_BUILT},
}


@pytest.mark.parametrize(("words", "expected"), REPLIES.items(), ids=map(str, REPLIES))
def test_formats(words: tuple[str, str], expected: tuple[Output, Reply] | Number) -> None:
    form, reply = words
    path = f"{BASE}/format/{form}" + (f"/responseFormat/{reply}" if reply else "")
    if isinstance(expected, Number):
        with pytest.raises(Refused) as refused:
            parse_play_manifest(path)
        assert refused.value.number is expected
    else:
        found = parse_play_manifest(path)
        assert (found.output, found.reply) == expected


def test_without_a_format_it_is_http() -> None:
    assert parse_play_manifest(f"{BASE}/responseFormat/json").format.name == "http"


def test_default_tags() -> None:
    pads = (("ipadnew", "iphonenew"), ("ipad", "iphone"))
    assert FORMATS["applehttp"].groups == FORMATS["hds"].groups == (("applembr",), *pads)
    assert FORMATS["mpegdash"].groups == (("dash",), *pads)
    assert FORMATS["sl"].groups == (("ism",), pads[0])
    assert FORMATS["hls"].groups == FORMATS["url"].groups == (("mbr",), ("web",))


REFUSED = {
    "/p/102/playManifest/format/applehttp/a.m3u8": Number.MISSING_PARAMETER,
    "/p/102/playManifest/entryId/abc/format/applehttp/a.m3u8": Number.ENTRY_NOT_FOUND,
    f"{HLS}/kt/0123/a.m3u8": Number.INVALID_TOKEN,
    f"{HLS}/mb/0": Number.INVALID_MAX_BITRATE,
    f"{HLS}/mb/0.5": Number.INVALID_MAX_BITRATE,
    f"{HLS}/mb/-5": Number.INVALID_MAX_BITRATE,
    f"{HLS}/maxBitrate/high": Number.INVALID_MAX_BITRATE,
    f"{HLS}/mib/1e3": Number.INVALID_MIN_BITRATE,
    f"{HLS}/playbackRate/2": Number.INVALID_PARAMETER,
    f"{HLS}/tracks/x1": Number.INVALID_PARAMETER,
    f"{HLS}/sequence/x": Number.INVALID_PARAMETER,
    f"{HLS}/sequence/{','.join(['0_abcd9999'] * 128)}": Number.INVALID_PARAMETER,
    f"{HLS}/tags/a:b": Number.INVALID_PARAMETER,
    f"{HLS}/protocol/rtmp": Number.DELIVERY_METHOD_NOT_ALLOWED,
    f"{HLS}/protocol/H2": Number.INVALID_PARAMETER,
    f"{HLS}/storageId/x": Number.INVALID_PARAMETER,
    f"{HLS}/deliveryProfileIds/1,x": Number.INVALID_PARAMETER,
    f"{HLS}/deliveryCode/a.b": Number.INVALID_PARAMETER,
    f"{HLS}/playbackContext/@evil": Number.INVALID_PARAMETER,
    f"{HLS}/sessionId/a_b": Number.INVALID_PARAMETER,
    f"{HLS}/responseFormat/jsonp": Number.MISSING_PARAMETER,
    f"{HLS}/responseFormat/jsonp/callback/a(b": Number.INVALID_PARAMETER,
}


@pytest.mark.parametrize(("path", "number"), REFUSED.items(), ids=REFUSED)
def test_refused(path: str, number: Number) -> None:
    with pytest.raises(Refused) as refused:
        parse_play_manifest(path)
    assert refused.value.number is number
    assert refused.value.fields["X-Kaltura"] == f"error-{number:d}"


UNPARSED = {
    "/p/x/playManifest/entryId/0_abcd1234": "no partner",
    "/p/102": "no partner",
    "/q/102/playManifest/entryId/0_abcd1234": "no partner",
    "/p/102/sp/x/playManifest/entryId/0_abcd1234": "sp: not a number",
    "/p/102/sp/10200": "sp: not a number",
    "/p/102/thumbnail/entry_id/0_abcd1234": "no such resource: thumbnail",
    f"{HLS}/tags": "left over: tags",
    f"{HLS}/../a.m3u8": "dots",
    f"{HLS}/%2e%2e/a.m3u8": "dots",
    f"{HLS}/..%2f..%2fetc/a.m3u8": "dots",
    f"{HLS}/..%5cetc/a.m3u8": "dots",
    f"{HLS}/tags/a%00/a.m3u8": "not printable",
    f"{HLS}/tags/a%0d%0aX:y/a.m3u8": "not printable",
    f"{HLS}/tags/%ff/a.m3u8": "not UTF-8",
    f"{HLS}?tags=%ff": "not UTF-8",
    f"{HLS}?tags=%00": "not printable",
    f"{HLS}?tags={'a' * 4096}": "query is longer",
    f"{HLS}/tags/{'a' * 4096}": "path is longer",
}


@pytest.mark.parametrize(("url", "reason"), UNPARSED.items(), ids=range(len(UNPARSED)))
def test_unparsed(url: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_play_manifest(*url.partition("?")[::2])
    assert reason in str(refused.value)


words = st.sampled_from(
    ["s", "p", "102", "sp", "playManifest", "entryId", "e", "0_abcd1234", "format", "url",
     "applehttp", "tags", "t", "a,b", "mb", "500", "..", "%2e%2e", "%252e", "%00", "\\", "",
     "a.m3u8", "é", "%ff", "flavorIds", "0_flav0001,0_flav0002", "fps", "5,x,6", "ex", "null",
     "protocol", "responseFormat", "json", "jsonp", "callback", "f.g", "type", "media"]
)  # fmt: skip
paths = st.lists(words, max_size=12).map("/".join)


@given(
    st.one_of(
        paths.map(lambda text: f"{HLS}/{text}"),
        paths.map(lambda text: f"/{text}"),
        st.text(max_size=40).map(lambda text: f"{BASE}/{text}"),
    ),
    st.text(max_size=30) | paths.map(lambda text: text.replace("/", "=")),
)
def test_it_round_trips_or_is_refused(path: str, query: str) -> None:
    try:
        found = parse_play_manifest(path, query)
    except (BadUrl, Refused) as error:
        assert str(error)
        return
    rendered = render_play_manifest(found)
    assert ".." not in rendered and rendered.isascii()
    assert parse_play_manifest(rendered) == found
