"""Delivery profiles, weights and edges: where addresses begin (contract §2.3, §2.12)."""

import zlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from metadata.errors import BadRow
from metadata.partner_records import DeliveryRecord, NodeRecord, Surroundings
from origin.contract.access import Access, decide
from origin.contract.edges import ACTIVE_NS, active_nodes, edges_of, spread
from origin.contract.play_manifest import parse_play_manifest
from origin.contract.refusals import Number, Refused
from origin.contract.routes import Route, route
from origin.contract.terms import Terms, terms_of
from origin.contract.wishes import NO_WISHES
from tests.origin.contract.test_replies import content

SECOND = 1_000_000_000
NOW = 1_000 * SECOND


def profile(id_: int, **fields: Any) -> DeliveryRecord:
    known: dict[str, Any] = {
        "partner_id": None, "parent_id": None, "is_active": True, "type": 61,
        "streamer_type": "applehttp", "url": f"cdn{id_}.example/hls", "host_name": None,
        "media_protocols": None, "is_default": True, "priority": 0, "tokenizer": None,
        "recognizer": None, "settings": {},
    }  # fmt: skip
    return DeliveryRecord(id=id_, **known | fields)


def node(id_: int, parent: int | None = None, **fields: Any) -> NodeRecord:
    known = {"host_name": f"edge{id_}", "playback_host_name": None, "heartbeat_at": NOW}
    return NodeRecord(id=id_, parent_id=parent, **known | fields)


def terms(*rows: DeliveryRecord, nodes: tuple[NodeRecord, ...] = (), **settings: Any) -> Terms:
    found = Surroundings(102, settings, rows, (), nodes)
    return terms_of(found, active_nodes(nodes, NOW))


def routed(of: Terms, rest: str = "", form: str = "applehttp") -> Route:
    path = f"/p/102/playManifest/entryId/0_abcd1234/format/{form}/{rest or 'a.x'}"
    asked = parse_play_manifest(*path.partition("?")[::2])
    return route(of, asked, decide(content(), asked.delivery.asker, of))


def first(rows: Terms, rest: str = "", form: str = "applehttp") -> str:
    return routed(rows, rest, form).bases[0]


OWN = {"partner_id": 102, "is_default": False}
TOKEN = {"tokenizer": {"type": "akamai"}}
HTTPS = {"media_protocols": "https"}


@dataclass(frozen=True)
class Case:
    rows: tuple[DeliveryRecord, ...]
    rest: str = ""
    form: str = "applehttp"
    settings: dict[str, Any] = field(default_factory=dict)


DASH = {"type": 68, "streamer_type": "mpegdash", "url": "d.example/dash"}
HTTP = {"type": 4, "streamer_type": "http", "url": "files.example"}
SELECTION: dict[str, tuple[Case, str | Number]] = {
    "no rows": (Case(()), "/hls"),
    "no rows, DASH": (Case((), form="mpegdash"), "/dash"),
    "no rows, a file": (Case((), form="url"), ""),
    "none of this streamer type": (Case((profile(1),), form="mpegdash"), "/dash"),
    "a default of all": (Case((profile(1),)), "http://cdn1.example/hls"),
    "not a default": (Case((profile(1, is_default=False),)), "/hls"),
    "the partner's own": (Case((profile(1), profile(2, **OWN))), "http://cdn2.example/hls"),
    "another partner's": (Case((profile(2, partner_id=7),)), "/hls"),
    "by priority": (
        Case((profile(1, priority=5), profile(2, priority=3))),
        "http://cdn2.example/hls",
    ),
    "in the partner's order": (
        Case(
            (profile(1, is_default=False), profile(2, **OWN)),
            settings={"delivery_profile_ids": {"applehttp": [1, 2]}},
        ),
        "http://cdn1.example/hls",
    ),
    "in an order of ids that are gone": (
        Case((profile(2, **OWN),), settings={"delivery_profile_ids": {"applehttp": "8,9"}}),
        "http://cdn2.example/hls",
    ),
    "hls is applehttp": (Case((profile(1),), form="hls"), "http://cdn1.example/hls"),
    "DASH": (Case((profile(1, **DASH),), form="mpegdash"), "http://d.example/dash"),
    "a file": (Case((profile(1, **HTTP),), form="url"), "http://files.example"),
    "a download": (Case((profile(1, **HTTP),), form="download"), "http://files.example"),
    # asked for by id
    "one by id": (
        Case((profile(1), profile(2)), "deliveryProfileId/2"),
        "http://cdn2.example/hls",
    ),
    "several by id, in their order": (
        Case((profile(1), profile(2)), "deliveryProfileIds/9,2,1"),
        "http://cdn2.example/hls",
    ),
    "an id that is not there": (Case((profile(1),), "deliveryProfileId/2"), Number(18)),
    "an id of another streamer type": (
        Case((profile(1, **DASH), profile(2)), "deliveryProfileId/1"),
        Number(18),
    ),
    "an id and no rows": (Case((), "deliveryProfileId/2"), Number(18)),
    # what it can do
    "a type that is not built": (Case((profile(1, type=10),)), Number(18)),
    "a live type": (Case((profile(1, type=1001),)), Number(18)),
    "a type of another output": (Case((profile(1, type=68),)), Number(18)),
    "not of this scheme": (Case((profile(1, **HTTPS),)), Number(18)),
    "of this scheme": (
        Case((profile(1), profile(2, priority=1, **HTTPS)), "protocol/https"),
        "https://cdn1.example/hls",
    ),
    "the first that can": (
        Case((profile(1, **HTTPS), profile(2, type=10), profile(3))),
        "http://cdn3.example/hls",
    ),
    "https, whatever its URL says": (
        Case((profile(1, url="http://x.example/hls"),), "protocol/https"),
        "https://x.example/hls",
    ),
    # tokens
    "one without a tokenizer": (Case((profile(1, **TOKEN), profile(2))), "http://cdn2.example/hls"),
    "only with a tokenizer": (Case((profile(1, **TOKEN),)), Number(18)),
    # its host
    "cdnHost among them": (
        Case((profile(1), profile(2)), "cdnHost/cdn2.example"),
        "http://cdn2.example/hls",
    ),
    "cdnHost of nobody": (
        Case((profile(1), profile(2)), "cdnHost/evil.example"),
        "http://cdn1.example/hls",
    ),
    "cdnHost and no rows": (Case((), "cdnHost/evil.example"), "/hls"),
    "only a host": (Case((profile(1, url="", host_name="h.example"),)), "http://h.example/hls"),
    "a port": (Case((profile(1, url="h.example:8080/x/hls/"),)), "http://h.example:8080/x/hls"),
    "only a folder": (Case((profile(1, url="/packaged"),)), "/packaged"),
    "neither": (Case((profile(1, url=""),)), "/hls"),
    # placeholders
    "{deliveryCode}": (
        Case((profile(1, url="{deliveryCode}.example/hls"),), "deliveryCode/eu1"),
        "http://eu1.example/hls",
    ),
    "{playbackContext} and {sessionId}": (
        Case(
            (profile(1, url="x-{playbackContext}.example/{sessionId}/hls"),),
            "pc/a/sessionId/b",
        ),
        "http://x-a.example/b/hls",
    ),
    "{DC}": (Case((profile(1, url="dc{DC}.example/hls"),)), "http://dc0.example/hls"),
    "one that is not given": (
        Case((profile(1, url="{deliveryCode}.example/hls"), profile(2))),
        "http://cdn2.example/hls",
    ),
    # inheritance
    "from a parent that is gone": (
        Case((profile(1, is_active=False), profile(2, url="", parent_id=1))),
        "http://cdn1.example/hls",
    ),
    "from a parent's parent": (
        Case(
            (
                profile(1, **TOKEN, is_active=False),
                profile(2, url="", parent_id=1, is_active=False),
                profile(3, url="", parent_id=2),
            )
        ),
        Number(18),
    ),
    "in a circle": (
        Case((profile(1, url="", parent_id=2), profile(2, url="", parent_id=1))),
        "/hls",
    ),
    # what is packaged elsewhere
    "Smooth Streaming without a profile": (Case((), form="sl"), Number(18)),
    "Smooth Streaming elsewhere": (
        Case((profile(1, type=67, streamer_type="sl", url="m.example/mss"),), form="sl"),
        "http://m.example/mss",
    ),
    "HDS elsewhere": (
        Case((profile(1, type=63, streamer_type="hds", url="m.example"),), form="hds"),
        "http://m.example/hds",
    ),
    "HDS nowhere": (
        Case((profile(1, type=63, streamer_type="hds", url="/hds"),), form="hds"),
        Number(18),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SELECTION)
def test_selection(name: str) -> None:
    case, expected = SELECTION[name]
    known = terms(*case.rows, **case.settings)
    if isinstance(expected, Number):
        with pytest.raises(Refused) as refused:
            routed(known, case.rest, case.form)
        assert refused.value.number is expected
    else:
        assert first(known, case.rest, case.form) == expected


@pytest.mark.parametrize(("type_", "redirects"), [(61, False), (69, True), (25, True)])
def test_who_writes_the_playlist(type_: int, redirects: bool) -> None:
    assert routed(terms(profile(1, type=type_))).redirects == redirects


# -- weights

TWO = (profile(1), profile(2), profile(3))


@pytest.mark.parametrize(
    "known",
    [
        terms(*TWO, cdn_ratios={"1": 70, "3": 30}),
        terms(
            profile(1, settings={"cdn_ratio": 70}),
            profile(2),
            profile(3, settings={"cdn_ratio": 30}),
        ),
    ],
)
def test_an_entry_sticks_to_a_cdn(known: Terms) -> None:
    for number in range(200):
        entry = f"0_{number:08d}"
        asked = parse_play_manifest(f"/p/102/playManifest/entryId/{entry}/format/hls")
        drawn = zlib.crc32(entry.encode()) % 100 < 70
        base = "http://cdn1.example/hls" if drawn else "http://cdn3.example/hls"
        assert route(known, asked, Access()).bases == (base,)


def test_other_cdns_follow() -> None:
    known = terms(*TWO, cdn_ratios={"3": 100}, cdnFallback=True)
    bases = [f"http://cdn{number}.example/hls" for number in (3, 1, 2)]
    assert routed(known).bases == tuple(bases)
    # a weight of nothing is no weight
    assert first(terms(*TWO, cdn_ratios={"3": 0})) == "http://cdn1.example/hls"


# -- edges

ACTIVITY = {
    NOW: True,
    NOW - ACTIVE_NS + 1: True,
    NOW - ACTIVE_NS: False,
    NOW + SECOND: True,  # of a clock that is ahead
    None: False,
}


@pytest.mark.parametrize(("heartbeat", "active"), ACTIVITY.items())
def test_who_is_active(heartbeat: int | None, active: bool) -> None:
    assert bool(active_nodes([node(1, heartbeat_at=heartbeat)], NOW)) == active


GONE = {"heartbeat_at": None}
WAYS: dict[str, tuple[tuple[NodeRecord, ...], str]] = {
    "alone": ((node(1),), "edge1/kVOD"),
    "its name for players": ((node(1, playback_host_name="play:81"),), "play:81/kVOD"),
    "parents": ((node(1, 2), node(2, 3), node(3)), "edge1/kVOD/edge2/kVOD/edge3/kVOD"),
    "a parent that is gone": (
        (node(1, 2), node(2, 3, **GONE), node(3)),
        "edge1/kVOD/edge3/kVOD",
    ),
    "a parent of somebody else": ((node(1, 9),), "edge1/kVOD"),
    "parents in a circle": ((node(1, 2), node(2, 1)), "edge1/kVOD/edge2/kVOD"),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_the_way_through_an_edge(name: str) -> None:
    nodes, way = WAYS[name]
    found = edges_of(nodes, active_nodes(nodes, NOW))
    assert found[0].way == way
    base = first(terms(profile(1), nodes=nodes, edgeServerIds=[1]), "protocol/https")
    assert base == f"https://{way}/cdn1.example/hls"


NODES = (node(1), node(2, **GONE), node(3), node(4))


def test_edges_come_first_and_the_cdn_behind() -> None:
    known = terms(profile(1), nodes=NODES, edgeServerIds="1,2,3", seamlessFallback=True)
    found = routed(known)
    assert set(found.nodes) == {1, 3}
    own = [f"http://edge{number}/kVOD/cdn1.example/hls" for number in found.nodes]
    assert found.bases == (*own, "http://cdn1.example/hls")
    assert routed(known) == found  # the same for whoever asks


def test_without_a_fallback_the_cdn_is_left_out() -> None:
    found = routed(terms(profile(1), nodes=NODES, edgeServerIds=[3]))
    assert found.bases == ("http://edge3/kVOD/cdn1.example/hls",)


@pytest.mark.parametrize(
    "known",
    [
        terms(profile(1), nodes=NODES, edgeServerIds=[2]),  # none that is active
        terms(profile(1), nodes=NODES),
        terms(profile(1, settings={"edgeServerIds": []}), nodes=NODES, edgeServerIds=[1]),
    ],
)
def test_no_edge(known: Terms) -> None:
    assert routed(known).bases == ("http://cdn1.example/hls",)
    assert routed(known).nodes == ()


def test_a_profile_says_it_for_itself() -> None:
    own = {"edgeServerIds": [4], "seamlessFallback": True}
    found = routed(terms(profile(1, settings=own), nodes=NODES, edgeServerIds=[1]))
    assert found.nodes == (4,)
    assert len(found.bases) == 2


def test_edges_need_a_host_to_lead_to() -> None:
    assert routed(terms(nodes=NODES, edgeServerIds=[1])).bases == ("/hls",)
    assert routed(terms(profile(1, url="/hls"), nodes=NODES, edgeServerIds=[1])).nodes == ()


def test_edges_share_the_entries_and_each_keeps_its_own() -> None:
    known = edges_of([node(id_) for id_ in range(1, 5)], frozenset(range(1, 5)))
    entries = [f"0_{number:08d}" for number in range(400)]
    before = {entry: spread(known, range(1, 5), entry)[0].id for entry in entries}
    assert all(60 < list(before.values()).count(id_) < 140 for id_ in range(1, 5))
    after = {entry: spread(known[:3], range(1, 5), entry)[0].id for entry in entries}
    assert all(after[entry] == id_ for entry, id_ in before.items() if id_ != 4)


# -- rows that cannot be

BAD_PROFILES: dict[str, dict[str, Any]] = {
    "url is not": {"url": "http://user@host/hls"},
    "url is not ": {"url": "a b"},
    "url is not  ": {"url": "{unknown}.example"},
    "url is not   ": {"url": "{.example"},
    "url has dots": {"url": "h.example/../x"},
    "settings.pattern": {"type": 25, "settings": {"pattern": "/x"}},
    "settings.pattern ": {"type": 25, "settings": {"pattern": "/{url}\r\nX: y"}},
    "settings.legacyBandwidth": {"settings": {"legacyBandwidth": "yes"}},
    "settings.cdn_ratio": {"settings": {"cdn_ratio": -1}},
    "settings.edgeServerIds": {"settings": {"edgeServerIds": "a"}},
}


@pytest.mark.parametrize(
    ("reason", "fields"), BAD_PROFILES.items(), ids=map(repr, BAD_PROFILES)
)
def test_profiles_that_cannot_be(reason: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BadRow, match=rf"delivery_profile 1: {reason.strip()}"):
        terms(profile(1, **fields))


BAD_SETTINGS: list[dict[str, Any]] = [
    {"delivery_profile_ids": [1]},
    {"delivery_profile_ids": {"applehttp": {}}},
    {"cdn_ratios": {"x": 1}},
    {"cdn_ratios": {"1": "2"}},
    {"edgeServerIds": 5},
    {"edgeServerIds": list(range(1001))},
    {"seamlessFallback": 1},
    {"allowedOrigins": ["*"]},
    {"allowedOrigins": ["https://a.example\r\nX: y"]},
    {"cdnFallback": "no"},
]


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=repr)
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(BadRow, match=rf"partner 102: settings\.{name} is not "):
        terms(**settings)


def test_an_edge_that_cannot_be() -> None:
    with pytest.raises(BadRow, match="server_node 1: its name"):
        terms(nodes=(node(1, host_name="a/b"),))


def test_no_wishes_are_nobodys() -> None:
    assert decide(content(), NO_WISHES.asker, Terms()) == Access()
