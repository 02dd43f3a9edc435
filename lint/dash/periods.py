"""What an MPD says of text, of its Periods together and of latency: D-11, D-12, D-14, D-15."""

import re

from lint.dash.mpd import Element
from lint.findings import Say

_608 = re.compile(r"(CC[1-4]=)?[A-Za-z-]{2,}(;(CC[1-4]=)?[A-Za-z-]{2,}){0,3}|")
_708 = re.compile(r"\d{1,2}=[^;]+(;\d{1,2}=[^;]+)*|[A-Za-z-]{2,}(;[A-Za-z-]{2,})*|")
_CAPTIONS = {"urn:scte:dash:cc:cea-608:2015": _608, "urn:scte:dash:cc:cea-708:2015": _708}
_CONTINUED = ("urn:mpeg:dash:period-continuity:2015", "urn:mpeg:dash:period-connectivity:2015")
_SIDECAR = ("text/vtt", "application/ttml+xml")


def check_text(chosen: Element, say: Say) -> None:
    """D-11."""
    members = chosen.all("Representation")
    kinds = {one.inherited("mimeType") for one in (chosen, *members)} - {""}
    is_text = chosen.attributes.get("contentType") == "text" or bool(kinds & set(_SIDECAR))
    if is_text and not chosen.all("Role"):
        say("D-11.role", chosen.place, "no Role")
    for element in (chosen, *members):
        if not kinds & set(_SIDECAR):
            break
        for name in ("SegmentBase", "SegmentTemplate", "SegmentList"):
            found = element.first(name)
            if found is not None and found.attributes.get("presentationTimeOffset", "0") != "0":
                text = f"@presentationTimeOffset {found.attributes['presentationTimeOffset']}"
                say("D-11.offset", found.place, text)
    for described in chosen.all("Accessibility"):
        form = _CAPTIONS.get(described.attributes.get("schemeIdUri", ""))
        value = described.attributes.get("value", "")
        if form is not None and not form.fullmatch(value):
            say("D-11.cea", described.place, f"@value {value!r}")


def check_continuity(mpd: Element, say: Say) -> None:
    """D-12: a set that goes on in another Period is there, and is of the same kind."""
    known: dict[str, dict[str, Element]] = {}
    for period in mpd.all("Period"):
        for chosen in period.all("AdaptationSet"):
            for described in chosen.all("SupplementalProperty"):
                if described.attributes.get("schemeIdUri") not in _CONTINUED:
                    continue
                value = described.attributes.get("value", "")
                other = known.get(value, {}).get(chosen.attributes.get("id", ""))
                if other is None:
                    say("D-12.period", described.place, f"@value {value!r}")
                elif _kind(other) != _kind(chosen):
                    say("D-12.entry", described.place, f"{_kind(other)}, here {_kind(chosen)}")
        sets = {
            c.attributes["id"]: c for c in period.all("AdaptationSet") if "id" in c.attributes
        }
        known[period.attributes.get("id", "")] = sets


def _kind(chosen: Element) -> str:
    """Sample entries and kinds of media of a set."""
    found = {
        f"{one.inherited('mimeType')} {one.inherited('codecs').partition('.')[0]}"
        for one in chosen.all("Representation")
    }
    return ", ".join(sorted(found))


def check_low_latency(mpd: Element, say: Say) -> None:
    """D-14."""
    for element in mpd.descendants():
        offset = element.attributes.get("availabilityTimeOffset", "0")
        if element.name not in ("SegmentTemplate", "SegmentBase") or offset in ("0", "INF"):
            continue
        if element.attributes.get("availabilityTimeComplete") != "false":
            say("D-14.complete", element.place, f"@availabilityTimeOffset {offset}")
        described = mpd.first("ServiceDescription")
        if described is None or described.first("Latency") is None:
            say("D-14.latency", mpd.place, "no ServiceDescription with a Latency")


def check_size(mpd: Element, octets: int, say: Say) -> None:
    """D-15: the limits of ETSI TS 103 285 (DVB) 4.5."""
    periods = mpd.all("Period")
    sets = max((len(period.all("AdaptationSet")) for period in periods), default=0)
    members = max(
        (len(c.all("Representation")) for p in periods for c in p.all("AdaptationSet")),
        default=0,
    )
    for count, limit, what in (
        (octets, 256 << 10, "octets"),
        (len(periods), 64, "Periods"),
        (sets, 16, "sets of a Period"),
        (members, 16, "representations of a set"),
    ):
        if count > limit:
            say("D-15.size", mpd.place, f"{count} {what}, at most {limit}")
