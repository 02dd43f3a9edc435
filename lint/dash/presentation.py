"""An MPD and its media: rules D-01 to D-13."""

from dataclasses import dataclass
from fractions import Fraction

from lint.dash.mpd import Element, parse, seconds, whole
from lint.dash.periods import check_continuity, check_low_latency, check_size, check_text
from lint.dash.sets import check_offsets, check_set
from lint.dash.timeline import Addressing, octets, template
from lint.fetching import Fetcher, Range, Resource, Unreachable, resolve
from lint.findings import Malformed, Report, Say
from lint.http_rules import check_manifest
from lint.rendition import Rendition, Walker, Wanted

REPRESENTATIONS = 200
SEGMENTS = 1_000_000


@dataclass(slots=True)
class Loaded:
    element: Element
    rendition: Rendition
    addressing: Addressing | None


@dataclass(slots=True)
class _Budget:
    """Segments that a whole MPD may list."""

    left: int = SEGMENTS

    def spend(self, count: int, element: Element) -> None:
        """Raises Malformed."""
        self.left -= count
        if self.left < 0:
            raise Malformed(element.place, f"more than {SEGMENTS} segments in the MPD")


def examine(resource: Resource, fetcher: Fetcher, report: Report, most: int) -> None:
    """Raises Malformed."""
    say = report.of(resource.address)
    check_manifest(resource, ("application/dash+xml",), say)
    mpd = parse(resource.body)
    periods = _periods(mpd, say)
    buffer = seconds(mpd, "minBufferTime", say) or Fraction(0)
    walker = Walker(fetcher, report, most, hls=False)
    check_size(mpd, len(resource.body), say)
    check_low_latency(mpd, say)
    check_continuity(mpd, say)
    count, budget = 0, _Budget()
    for period, lasts in periods:
        ids: set[str] = set()
        of_period: list[Loaded] = []
        for chosen in period.all("AdaptationSet"):
            loaded: list[Loaded] = []
            for representation in chosen.all("Representation"):
                count += 1
                if count > REPRESENTATIONS:
                    raise Malformed(representation.place, "more representations than we read")
                _required(representation, ids, say)
                item = _load(representation, resource.address, lasts, walker, budget, say)
                if item is not None:
                    loaded.append(item)
            check_set(
                chosen,
                [(item.element, item.rendition, item.addressing) for item in loaded],
                lasts,
                buffer,
                say,
            )
            check_text(chosen, say)
            of_period += loaded
        if mpd.attributes.get("type") != "dynamic":
            check_offsets([(i.element, i.rendition, i.addressing) for i in of_period], say)


def _periods(mpd: Element, say: Say) -> list[tuple[Element, Fraction | None]]:
    """Periods and how long they last; D-01 to D-03 of the MPD itself."""
    for name in ("profiles", "minBufferTime"):
        if name not in mpd.attributes:
            say("D-01.required", mpd.place, f"no @{name}")
    dynamic = mpd.attributes.get("type", "static") == "dynamic"
    total = seconds(mpd, "mediaPresentationDuration", say)
    periods = mpd.all("Period")
    if not periods:
        raise Malformed(mpd.place, "no Period")
    if dynamic:
        for name in ("availabilityStartTime", "publishTime"):
            if name not in mpd.attributes:
                say("D-02.dynamic", mpd.place, f"no @{name}")
        if not mpd.all("UTCTiming"):
            say("D-02.dynamic", mpd.place, "no UTCTiming")
        for period in periods:
            if "id" not in period.attributes:
                say("D-02.dynamic", period.place, "no @id")
    else:
        for name in ("minimumUpdatePeriod", "timeShiftBufferDepth"):
            if name in mpd.attributes:
                say("D-02.static", mpd.place, f"@{name}")
    found: list[tuple[Element, Fraction | None]] = []
    at = Fraction(0)
    for index, period in enumerate(periods):
        start = seconds(period, "start", say)
        if index == 0 and start and not dynamic:
            say("D-02.first", period.place, f"@start {period.attributes['start']}")
        at = start if start is not None else at
        lasts = seconds(period, "duration", say)
        following = (
            seconds(periods[index + 1], "start", say) if index + 1 < len(periods) else None
        )
        if lasts is None and following is not None:
            lasts = following - at
        if lasts is None and total is not None and index + 1 == len(periods):
            lasts = total - at
        if lasts is not None and lasts <= 0:
            say("D-03.zero", period.place, f"{float(lasts):g} s")
        found.append((period, lasts))
        at += lasts or 0
    if total is None and not dynamic and found[-1][1] is None:
        say("D-02.duration", mpd.place, "absent")
    if total is not None and abs(total - at) > Fraction(1, 1000) and found[-1][1] is not None:
        say(
            "D-02.duration",
            mpd.place,
            f"{float(total):g} s, the Periods end at {float(at):g} s",
        )
    return found


def _required(representation: Element, ids: set[str], say: Say) -> None:
    for name in ("id", "bandwidth"):
        if name not in representation.attributes:
            say("D-01.required", representation.place, f"no @{name}")
    for name in ("mimeType",):
        if not representation.inherited(name):
            say("D-01.required", representation.place, f"no @{name}")
    above = representation.parent
    for name in ("mimeType", "codecs"):
        if above is not None and name in above.attributes and name in representation.attributes:
            say("D-01.twice", representation.place, f"@{name}")
    name = representation.attributes.get("id", "")
    if name in ids:
        say("D-01.unique", representation.place, f"@id {name[:60]!r}")
    ids.add(name)


def _load(
    representation: Element,
    address: str,
    lasts: Fraction | None,
    walker: Walker,
    budget: _Budget,
    say: Say,
) -> Loaded | None:
    try:
        base = _base(representation, address)
        rendition = Rendition(address, representation.place)
        found = _nearest(representation, "SegmentTemplate")
        if found is not None:
            addressing = template(found, representation, lasts, say)
            listed, scale = addressing.listed, addressing.timescale
            budget.spend(len(listed), representation)
            rendition.durations = [Fraction(item.duration, scale) for item in listed]
            rendition.slack = None if addressing.nominal else Fraction(1, scale)
            walker.walk(
                rendition, len(listed), lambda i: _wanted(i, addressing, base, representation)
            )
            return Loaded(representation, rendition, addressing)
        indexed = _nearest(representation, "SegmentBase")
        kind = representation.inherited("mimeType")
        if indexed is None:
            if kind.startswith(("text/", "image/")):
                return None
            say(
                "D-04.addressing", representation.place, "no SegmentTemplate and no SegmentBase"
            )
            return None
        _indexed(indexed, base, walker, say)
        rendition.durations = [lasts or Fraction(0)]
        only = Wanted(
            base=base,
            uri="",
            part=None,
            place=representation.place,
            number=0,
            declared=lasts or Fraction(0),
            whole=True,
        )
        walker.walk(rendition, 1, lambda _: only)
        return Loaded(representation, rendition, None)
    except Malformed as error:
        say("F-02.playlist", error.place, error.text)
    except Unreachable as error:
        say("F-01.playlist", representation.place, str(error))
    return None


def _wanted(index: int, addressing: Addressing, base: str, representation: Element) -> Wanted:
    image = representation.inherited("mimeType").startswith("image/")
    scale = addressing.timescale
    return Wanted(
        base=base,
        uri=addressing.uri(index),
        part=None,
        place=representation.place,
        number=index,
        declared=Fraction(addressing.listed[index].duration, scale),
        listed=None if index else Fraction(addressing.offset, scale),
        header=(addressing.initialization, None) if addressing.initialization else None,
        sealed="an image" if image else "",
    )


def _base(element: Element, address: str) -> str:
    """The address that the element's references are relative to.  Raises Unreachable."""
    above = address if element.parent is None else _base(element.parent, address)
    named = element.first("BaseURL")
    return above if named is None else resolve(above, named.text.strip())


def _nearest(element: Element, name: str) -> Element | None:
    """The element *name* of the nearest level, with what the levels above add to it."""
    at: Element | None = element
    found: Element | None = None
    while at is not None:
        own = at.first(name)
        if own is not None and found is None:
            found = Element(name, dict(own.attributes), own.line, own.path, own.parent)
            found.children = list(own.children)
        elif own is not None and found is not None:
            found.attributes = {**own.attributes, **found.attributes}
            present = {child.name for child in found.children}
            found.children += [c for c in own.children if c.name not in present]
        at = at.parent
    return found


def _indexed(element: Element, base: str, walker: Walker, say: Say) -> None:
    """D-09: indexRange is exactly a sidx."""
    part = octets(element.attributes.get("indexRange", ""))
    if part is None:
        say("D-09.range", element.place, "no @indexRange")
        return
    whole(element, "timescale", 1)
    try:
        got = walker.fetcher.get(base, part=Range(part.start, part.length)).body
    except Unreachable as error:
        say("D-09.range", element.place, str(error))
        return
    if got[4:8] != b"sidx" or int.from_bytes(got[:4], "big") != len(got):
        say("D-09.range", element.place, f"{element.attributes['indexRange']} is no whole sidx")
